#include "domain/metering.hpp"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "domain/ulid.hpp"

using namespace flexsync;
using namespace std::chrono_literals;

namespace {

const Scope kScope{TenantId{"tenant_1"}, EnvironmentId{"env_1"}};
const Timestamp kNoon = from_unix_seconds(1'795'262'400);  // 2026-11-21T12:00:00Z
constexpr std::chrono::hours kAgeMax{35 * 24};

Decimal dec(const std::string& text) {
  return Decimal::parse(text).value();
}

Meter meter_of(Aggregation aggregation, const std::string& field) {
  Meter meter;
  meter.id = MeterId{"meter_1"};
  meter.event_name = "api_call";
  meter.aggregation = aggregation;
  meter.field = field;
  return meter;
}

UsageEvent event_of(std::map<std::string, std::string> properties) {
  UsageEvent event;
  event.id = UsageEventId{"event_1"};
  event.event_name = "api_call";
  event.customer_id = CustomerId{"cust_1"};
  event.timestamp = kNoon;
  event.properties = std::move(properties);
  return event;
}

DueRollup due_of(const std::string& quantity, int scale, const std::string& carry = "0") {
  DueRollup due;
  due.rollup.customer_id = CustomerId{"cust_1"};
  due.rollup.meter_id = MeterId{"meter_1"};
  due.rollup.segment = {kNoon, kNoon + 1h};
  due.rollup.quantity = dec(quantity);
  due.rollup.event_count = 7;
  due.mapping.event_name = "calls";
  due.mapping.customer_key = "stripe_customer_id";
  due.mapping.value_key = "value";
  due.mapping.scale = scale;
  due.stripe_customer_id = StripeId{"cus_1"};
  due.carry = dec(carry);
  return due;
}

PlannedBatch plan(const DueRollup& due) {
  return plan_batch(kScope, due, kNoon + 2h, kAgeMax);
}

Decimal any_quantity() {
  const auto units = *rc::gen::inRange<std::int64_t>(-2'000'000'000, 2'000'000'000);
  return Decimal(units).times_power_of_ten(-*rc::gen::inRange(0, 18));
}

}  // namespace

TEST_CASE("a window begins at its multiple of minutes since the epoch and is half-open") {
  CHECK(segment_of(kNoon, 60min, {}) == Segment{kNoon, kNoon + 1h});
  CHECK(segment_of(kNoon - 1us, 60min, {}) == Segment{kNoon - 1h, kNoon});
  CHECK(segment_of(kNoon + 59min + 59s, 5min, {}) == Segment{kNoon + 55min, kNoon + 1h});
  CHECK(segment_of(from_unix_micros(-1), 60min, {}) == Segment{from_unix_seconds(-3600), from_unix_seconds(0)});
}

TEST_CASE("a window is cut in two where the mapping starts") {
  const auto cut = kNoon + 20min;
  CHECK(segment_of(cut - 1us, 60min, cut) == Segment{kNoon, cut});
  CHECK(segment_of(cut, 60min, cut) == Segment{cut, kNoon + 1h});
  CHECK(segment_of(kNoon, 60min, kNoon) == Segment{kNoon, kNoon + 1h});
  CHECK(segment_of(kNoon, 60min, kNoon + 1h) == Segment{kNoon, kNoon + 1h});
  CHECK(segment_of(kNoon + 2h, 60min, cut) == Segment{kNoon + 2h, kNoon + 3h});
}

TEST_CASE("segments: properties") {
  rc::prop("segments partition time", [] {
    const std::chrono::minutes window{*rc::gen::inRange(5, 61)};
    const auto base = from_unix_micros(*rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 3'000'000'000'000'000));
    const auto near = [&] {
      return base + std::chrono::microseconds(*rc::gen::inRange<std::int64_t>(0, 7'200'000'000));
    };
    const auto cut = *rc::gen::arbitrary<bool>() ? std::optional(near()) : std::nullopt;
    const auto time = near();
    const auto segment = segment_of(time, window, cut);
    RC_ASSERT(segment.start <= time && time < segment.end);
    RC_ASSERT(segment.end - segment.start <= window);
    RC_ASSERT(!cut || *cut <= segment.start || *cut >= segment.end);
    // Whatever lies in it has it, and its neighbours touch it: no gap, no overlap.
    RC_ASSERT(segment_of(segment.start, window, cut) == segment);
    RC_ASSERT(segment_of(segment.end - 1us, window, cut) == segment);
    RC_ASSERT(segment_of(segment.end, window, cut).start == segment.end);
    RC_ASSERT(segment_of(segment.start - 1us, window, cut).end == segment.start);
  });
}

TEST_CASE("COUNT adds one for every event of the name") {
  const auto meter = meter_of(Aggregation::count, "");
  CHECK(measure(meter, event_of({})) == Decimal(1));
  auto other = event_of({});
  other.event_name = "login";
  CHECK_FALSE(measure(meter, other).has_value());
}

TEST_CASE("SUM adds the property, exactly") {
  const auto meter = meter_of(Aggregation::sum, "tokens");
  CHECK(measure(meter, event_of({{"tokens", "12.000000000000000001"}})) == dec("12.000000000000000001"));
  CHECK(measure(meter, event_of({{"tokens", "-3"}})) == Decimal(-3));
  CHECK_FALSE(measure(meter, event_of({{"other", "1"}})).has_value());
  for (const auto* text : {"many", "", "NaN", "1e99"}) {
    CAPTURE(text);
    CHECK_FALSE(measure(meter, event_of({{"tokens", text}})).has_value());
  }
}

TEST_CASE("SUM_WITH_MULTIPLIER adds the product, exactly") {
  auto meter = meter_of(Aggregation::sum_with_multiplier, "tokens");
  meter.multiplier = dec("0.001");
  CHECK(measure(meter, event_of({{"tokens", "1500"}})) == dec("1.5"));
  CHECK_FALSE(measure(meter, event_of({{"tokens", "1e-29"}})).has_value());  // the product has too many digits
}

TEST_CASE("every filter's property must have one of its values") {
  auto meter = meter_of(Aggregation::count, "");
  meter.filters = {{"region", {"eu", "us"}}, {"tier", {"pro"}}};
  CHECK(measure(meter, event_of({{"region", "us"}, {"tier", "pro"}})).has_value());
  CHECK_FALSE(measure(meter, event_of({{"region", "us"}})).has_value());
  CHECK_FALSE(measure(meter, event_of({{"region", "asia"}, {"tier", "pro"}})).has_value());
  CHECK_FALSE(measure(meter, event_of({{"region", "EU"}, {"tier", "pro"}})).has_value());
  meter.filters = {{"region", {}}};
  CHECK_FALSE(measure(meter, event_of({{"region", "us"}})).has_value());
}

TEST_CASE("events add up to one increment per customer, meter and segment, in key order") {
  auto count = meter_of(Aggregation::count, "");
  auto sum = meter_of(Aggregation::sum, "tokens");
  sum.id = MeterId{"meter_2"};
  const std::vector<ActiveMeter> meters{{sum, {}}, {count, kNoon + 10min}};
  auto first = event_of({{"tokens", "0.1"}});
  auto second = event_of({{"tokens", "0.2"}});
  second.timestamp = kNoon + 15min;
  auto third = event_of({{"tokens", "nothing"}});
  third.customer_id = CustomerId{"cust_0"};
  auto nobodys = event_of({{"tokens", "5"}});
  nobodys.customer_id = {};
  const std::vector<UsageEvent> events{second, first, third, nobodys};
  const CustomerId zero{"cust_0"};
  const CustomerId one{"cust_1"};
  CHECK(add_up(events, meters, 60min) ==
        std::vector<RollupIncrement>{{zero, count.id, {kNoon, kNoon + 10min}, 1, 1},
                                     {one, count.id, {kNoon, kNoon + 10min}, 1, 1},
                                     {one, count.id, {kNoon + 10min, kNoon + 1h}, 1, 1},
                                     {one, sum.id, {kNoon, kNoon + 1h}, dec("0.3"), 2}});
}

TEST_CASE("add_up: properties") {
  rc::prop("the order of the events does not matter, nor how they are dealt out to calls", [] {
    std::vector<UsageEvent> events;
    for (int left = *rc::gen::inRange(0, 30); left > 0; --left) {
      auto event = event_of({{"tokens", any_quantity().str()}});
      event.customer_id = CustomerId{"cust_" + std::to_string(*rc::gen::inRange(0, 4))};
      event.timestamp = kNoon + std::chrono::minutes(*rc::gen::inRange(-120, 120));
      events.push_back(event);
    }
    const std::vector<ActiveMeter> meters{{meter_of(Aggregation::sum, "tokens"), kNoon + 7min}};
    const auto whole = add_up(events, meters, 30min);
    RC_ASSERT(std::is_sorted(whole.begin(), whole.end(), [](const auto& a, const auto& b) {
      return std::tie(a.customer_id, a.meter_id, a.segment) < std::tie(b.customer_id, b.meter_id, b.segment);
    }));
    std::shuffle(events.begin(), events.end(), std::minstd_rand(*rc::gen::arbitrary<std::uint32_t>()));
    RC_ASSERT(add_up(events, meters, 30min) == whole);

    Decimal total;
    for (const auto& part :
         {std::span(events).first(events.size() / 2), std::span(events).subspan(events.size() / 2)}) {
      for (const auto& increment : add_up(part, meters, 30min)) {
        total += increment.quantity;
      }
    }
    for (const auto& increment : whole) {
      total -= increment.quantity;
    }
    RC_ASSERT(total.is_zero());
  });
}

TEST_CASE("a batch bills what its rollup has beyond earlier batches, in whole units of the scale") {
  auto due = due_of("12.3456", 2, "0.0005");
  due.rollup.batched_quantity = dec("10");
  due.rollup.batched_count = 3;
  due.rollup.next_sequence = 2;
  const auto [batch, carry] = plan(due);
  CHECK(has_id_form(prefix::kBatch, batch.id.str()));
  CHECK(batch.status == BatchStatus::pending);
  CHECK(batch.quantity == dec("2.3456"));
  CHECK(batch.value == Decimal(234));
  CHECK(carry == dec("0.0061"));
  CHECK(batch.event_count == 4);
  CHECK(batch.sequence == 2);
  CHECK(batch.window == due.rollup.segment);
  CHECK(batch.timestamp == kNoon + 59min + 59s);
  CHECK(batch.identifier ==
        batch_identifier(kScope, due.rollup.customer_id, due.rollup.meter_id, "calls", due.rollup.segment, 2));
  CHECK(batch.stripe_customer_id.str() == "cus_1");
  CHECK(batch.event_name == "calls");
  CHECK(batch.customer_key == "stripe_customer_id");
  CHECK(batch.value_key == "value");
  CHECK(batch.next_attempt_at == kNoon + 2h);
  CHECK_FALSE(batch.first_sent_at.has_value());
}

TEST_CASE("less than a whole unit is carried to the next batch") {
  const auto first = plan(due_of("999", -3));
  CHECK(first.batch.status == BatchStatus::carried);
  CHECK(first.batch.value.is_zero());
  CHECK(first.carry == Decimal(999));
  const auto second = plan(due_of("1", -3, "999"));
  CHECK(second.batch.status == BatchStatus::pending);
  CHECK(second.batch.value == Decimal(1));
  CHECK(second.carry.is_zero());
}

TEST_CASE("a value of more digits than Stripe takes is rejected with the reason") {
  CHECK(plan(due_of("999999999999999", 0)).batch.status == BatchStatus::pending);
  CHECK(plan(due_of("-999999999999999.9", 0)).batch.status == BatchStatus::pending);
  const auto rejected = plan(due_of("1000000000000000.5", 0));
  CHECK(rejected.batch.status == BatchStatus::rejected);
  CHECK(rejected.batch.error_code == "value_too_long");
  CHECK(rejected.batch.error_message.find("1000000000000000 has 16 digits") != std::string::npos);
  CHECK(carry_after_return(rejected.batch, rejected.carry).is_zero());
}

TEST_CASE("usage older than Stripe takes expires, and leaves the carry as it was") {
  const auto due = due_of("5", 0, "0.5");
  const auto youngest = batch_timestamp(due.rollup.segment) + kAgeMax;
  CHECK(plan_batch(kScope, due, youngest, kAgeMax).batch.status == BatchStatus::pending);
  const auto expired = plan_batch(kScope, due, youngest + 1s, kAgeMax);
  CHECK(expired.batch.status == BatchStatus::expired);
  CHECK(expired.batch.error_code == "expired");
  CHECK(expired.batch.error_message.find("35 days") != std::string::npos);
  CHECK(expired.batch.value.is_zero());
  CHECK(expired.carry == dec("0.5"));
}

TEST_CASE("batches: properties") {
  rc::prop("nothing is lost or doubled over any batches, returns included", [] {
    const auto scale = *rc::gen::inRange(-15, 16);
    Decimal ingested;
    Decimal billed;
    Decimal waiting;  // in the rollup again
    Decimal carry;
    std::vector<UsageBatch> rejected;
    for (int left = *rc::gen::inRange(1, 40); left > 0; --left) {
      const auto quantity = any_quantity();
      ingested += quantity;
      auto due = due_of((waiting + quantity).str(), scale, carry.str());
      due.rollup.batched_quantity = 0;
      const auto planned = plan(due);
      waiting = 0;
      carry = planned.carry;
      RC_ASSERT(planned.batch.value.is_whole());
      if (planned.batch.status == BatchStatus::rejected || *rc::gen::inRange(0, 5) == 0) {
        rejected.push_back(planned.batch);
      } else {
        billed += planned.batch.value.times_power_of_ten(-scale);
      }
      if (!rejected.empty() && *rc::gen::arbitrary<bool>()) {
        carry = carry_after_return(rejected.back(), carry);
        waiting += rejected.back().quantity;
        rejected.pop_back();
      }
    }
    for (const auto& batch : rejected) {
      carry = carry_after_return(batch, carry);
      waiting += batch.quantity;
    }
    RC_ASSERT(billed + carry + waiting == ingested);
  });
  rc::prop("the carry is less than a unit after any batch", [] {
    const auto scale = *rc::gen::inRange(-15, 16);
    const auto planned = plan(due_of(any_quantity().str(), scale, any_quantity().str()));
    const auto carry = planned.carry.is_negative() ? Decimal() - planned.carry : planned.carry;
    RC_ASSERT(carry < Decimal(1).times_power_of_ten(-scale));
  });
}

TEST_CASE("the same batch has the same identifier for ever") {
  const auto identifier =
      batch_identifier(kScope, CustomerId{"cust_1"}, MeterId{"meter_1"}, "calls", {kNoon, kNoon + 1h}, 1);
  // printf '8:tenant_15:env_16:cust_17:meter_15:calls16:179526240000000016:17952660000000001:1' | sha256sum
  CHECK(identifier == "fs_1fc481592e8f717f70cc491a383edbf68139254fad6bb78b4c5720d48e41a5dc");
}

TEST_CASE("different batches have different identifiers, also where their parts run together") {
  std::set<std::string> seen;
  const auto add = [&](const char* tenant, const char* environment, const char* customer, const char* meter,
                       const char* name, Segment segment, int sequence) {
    seen.insert(batch_identifier({TenantId{tenant}, EnvironmentId{environment}}, CustomerId{customer}, MeterId{meter},
                                 name, segment, sequence));
  };
  const Segment hour{kNoon, kNoon + 1h};
  add("a", "b", "c", "d", "e", hour, 1);
  add("ab", "", "c", "d", "e", hour, 1);
  add("", "ab", "c", "d", "e", hour, 1);
  add("a", "bc", "", "d", "e", hour, 1);
  add("a", "b", "cd", "", "e", hour, 1);
  add("a", "b", "c", "de", "", hour, 1);
  add("a", "b", "c", "d", "e1:", hour, 1);
  add("a", "b", "c", "d", "e", {kNoon, kNoon + 30min}, 1);
  add("a", "b", "c", "d", "e", {kNoon + 30min, kNoon + 1h}, 1);
  add("a", "b", "c", "d", "e", hour, 2);
  add("a", "b", "c", "d", "e", hour, 12);
  CHECK(seen.size() == 11);
  CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& identifier) { return identifier.size() <= 100; }));
}

TEST_CASE("a batch's meter event stands in the last whole second of its segment") {
  CHECK(batch_timestamp({kNoon, kNoon + 1h}) == kNoon + 59min + 59s);
  CHECK(batch_timestamp({kNoon, kNoon + 1s}) == kNoon);
}
