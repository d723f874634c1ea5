#include "app/usage_settlement.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::app;

namespace {

const Timestamp kNoon = from_unix_seconds(1'795'003'200);
const std::chrono::hours kHour{1};
const StripeAccount kAccount{StripeId{"mtr_1"}, StripeId{"cus_1"}};

store::AcceptedUsage row(Timestamp hour, Decimal value, Decimal undecided = {}, const std::string& meter = "meter_1") {
  return {CustomerId{"cust_1"}, MeterId{meter}, kAccount.customer, kAccount.meter,
          {hour, hour + kHour}, value,          undecided};
}

Settlement settled(const std::vector<store::AcceptedUsage>& before, const AcceptedHours& stripe,
                   const std::vector<store::AcceptedUsage>& after) {
  return settle(sent_usage(before), {{kAccount, stripe}}, sent_usage(after));
}

}  // namespace

TEST_CASE("what several meters bill through one of Stripe's is added up", "[usage_settlement]") {
  const auto sent = sent_usage({row(kNoon, 3), row(kNoon, 4, 2, "meter_2"), row(kNoon + 5 * kHour, 1)});
  REQUIRE(sent.size() == 1);
  const auto& hours = sent.at(kAccount);
  CHECK(hours.at(kNoon).sent == Decimal(7));
  CHECK(hours.at(kNoon).undecided == Decimal(2));
  CHECK(hours.at(kNoon).meter_id == MeterId{"meter_1"});
  CHECK(span_of(hours) == Segment{kNoon, kNoon + 6 * kHour});
}

TEST_CASE("nothing under way: Stripe has exactly what was sent", "[usage_settlement]") {
  const std::vector books = {row(kNoon, 3), row(kNoon + kHour, 4)};
  const auto equal = settled(books, {{kNoon, 3}, {kNoon + kHour, 4}}, books);
  CHECK_FALSE(equal.first_difference);
  CHECK(equal.equal == 2);
  CHECK(equal.accepted == equal.sent);

  // An hour that is only in Stripe, one that is only in the books; the earliest is named.
  const auto strange = settled(books, {{kNoon, 3}, {kNoon + 2 * kHour, 4}}, books);
  REQUIRE(strange.first_difference);
  CHECK(strange.first_difference->hour.start == kNoon + kHour);
  CHECK(strange.first_difference->accepted.is_zero());
  const auto more = settled(books, {{kNoon, 3}, {kNoon + kHour, 4}, {kNoon + 2 * kHour, 1}}, books);
  REQUIRE(more.first_difference);
  CHECK(more.first_difference->books.sent.is_zero());
}

TEST_CASE("under way: Stripe has what was sent, and no more than may have arrived", "[usage_settlement]") {
  const std::vector books = {row(kNoon, 3, 2)};
  for (const auto value : {3, 4, 5}) {
    const auto between = settled(books, {{kNoon, value}}, books);
    CHECK_FALSE(between.first_difference);
    CHECK(between.unsettled == 1);
  }
  CHECK(settled(books, {{kNoon, 2}}, books).first_difference);
  CHECK(settled(books, {{kNoon, 6}}, books).first_difference);
  const std::vector negative = {row(kNoon, 3, -2)};
  CHECK_FALSE(settled(negative, {{kNoon, 1}}, negative).first_difference);
  CHECK(settled(negative, {{kNoon, 4}}, negative).first_difference);
}

TEST_CASE("sent while Stripe was asked: the second reading has it", "[usage_settlement]") {
  const std::vector before = {row(kNoon, 3)};
  const std::vector after = {row(kNoon, 5)};
  CHECK(settled(before, {{kNoon, 5}}, before).first_difference);
  CHECK_FALSE(settled(before, {{kNoon, 5}}, after).first_difference);
  CHECK_FALSE(settled(before, {{kNoon, 3}}, after).first_difference);
  CHECK(settled(before, {{kNoon, 6}}, after).first_difference);
  CHECK(settled(before, {{kNoon, 2}}, after).first_difference);
}
