#include "sync/usage.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::sync;
using namespace std::chrono_literals;

namespace {

const Timestamp kNow = from_unix_seconds(1'795'262'400);
const UsagePolicy kPolicy;

UsageBatch batch_of(std::optional<Timestamp> first_sent = std::nullopt, int attempts = 0) {
  UsageBatch batch;
  batch.id = BatchId{"batch_1"};
  batch.identifier = "fs_1";
  batch.timestamp = kNow - 1h;
  batch.next_attempt_at = kNow - 1min;
  batch.attempts = attempts;
  batch.first_sent_at = first_sent;
  return batch;
}

BatchResult after(const UsageBatch& batch, const stripe::CallOutcome& outcome) {
  return after_attempt(batch, outcome, kNow, batch.first_sent_at.value_or(kNow), kPolicy);
}

}  // namespace

TEST_CASE("what Stripe has taken is sent") {
  const auto result = after(batch_of(), stripe::Answered{"{}", {}});
  CHECK(result.id.str() == "batch_1");
  CHECK(result.status == BatchStatus::sent);
  CHECK(result.synced_at == kNow);
  CHECK(result.first_sent_at == kNow);
  CHECK(result.attempts == 1);
  CHECK(result.error_code.empty());
}

TEST_CASE("an identifier that exists was delivered before") {
  const auto by_message = stripe::Refused{"invalid_request_error",
                                          "An event already exists with identifier fs_1 within the past 24 hours.", ""};
  CHECK(after(batch_of(kNow - 1h, 1), by_message).status == BatchStatus::sent);
  CHECK(after(batch_of(kNow - 1h, 1), by_message).error_message.empty());
  CHECK(after(batch_of(), stripe::Refused{"duplicate_meter_event", "a duplicate", ""}).status == BatchStatus::sent);
}

TEST_CASE("any other refusal is final, with Stripe's reason") {
  const auto refused = after(batch_of(), stripe::Refused{"parameter_invalid", "No such meter", "event_name"});
  CHECK(refused.status == BatchStatus::rejected);
  CHECK(refused.error_code == "parameter_invalid");
  CHECK(refused.error_message == "No such meter");
  const auto missing = after(batch_of(kNow - 1h), stripe::NotFound{"Unrecognized URL"});
  CHECK(missing.status == BatchStatus::rejected);
  CHECK(missing.error_code == "not_found");
  CHECK(missing.error_message == "Unrecognized URL");
}

TEST_CASE("what certainly did not happen is tried again later, as if it had not been") {
  const auto result = after(batch_of(), stripe::RetryLater{"429", kNow});
  CHECK(result.status == BatchStatus::pending);
  CHECK(result.attempts == 1);
  CHECK(result.error_code == "retry_later");
  CHECK(result.next_attempt_at > kNow);
  CHECK_FALSE(result.first_sent_at.has_value());
  CHECK(after(batch_of(), stripe::RetryLater{"429", kNow + 1h}).next_attempt_at == kNow + 1h);
  CHECK(after(batch_of(kNow - 2h, 1), stripe::RetryLater{"429", kNow}).first_sent_at == kNow - 2h);
}

TEST_CASE("without a connection there was no attempt, and the batch stays due") {
  const auto result = after(batch_of(std::nullopt, 2), stripe::NotConnected{"the key was revoked"});
  CHECK(result.status == BatchStatus::pending);
  CHECK(result.attempts == 2);
  CHECK(result.next_attempt_at == kNow - 1min);
  CHECK(result.error_code == "not_connected");
  CHECK_FALSE(result.first_sent_at.has_value());
}

TEST_CASE("an unknown outcome is tried again for 24 hours, and never after") {
  const auto first = after(batch_of(), stripe::Unknown{"timeout"});
  CHECK(first.status == BatchStatus::pending);
  CHECK(first.first_sent_at == kNow);
  CHECK(first.next_attempt_at > kNow);
  CHECK(first.error_code == "unknown_outcome");
  CHECK(after(batch_of(kNow - 24h + 1us, 5), stripe::Unknown{"timeout"}).status == BatchStatus::pending);
  const auto late = after(batch_of(kNow - 24h, 5), stripe::Unknown{"timeout"});
  CHECK(late.status == BatchStatus::ambiguous);
  CHECK(late.first_sent_at == kNow - 24h);
  CHECK(late.attempts == 6);
}

TEST_CASE("before an attempt: what may have reached Stripe too long ago is ambiguous, what is too old expires") {
  CHECK_FALSE(before_attempt(batch_of(), kNow, kPolicy).has_value());
  CHECK_FALSE(before_attempt(batch_of(kNow - 23h), kNow, kPolicy).has_value());
  const auto ambiguous = before_attempt(batch_of(kNow - 24h, 3), kNow, kPolicy);
  REQUIRE(ambiguous.has_value());
  CHECK(ambiguous->status == BatchStatus::ambiguous);
  CHECK(ambiguous->attempts == 3);

  auto old = batch_of();
  old.timestamp = kNow - kPolicy.age_max;
  CHECK_FALSE(before_attempt(old, kNow, kPolicy).has_value());
  old.timestamp -= 1s;
  const auto expired = before_attempt(old, kNow, kPolicy);
  REQUIRE(expired.has_value());
  CHECK(expired->status == BatchStatus::expired);
  CHECK(expired->error_code == "expired");
  old.first_sent_at = kNow - 1h;
  CHECK(before_attempt(old, kNow, kPolicy)->status == BatchStatus::ambiguous);
}

TEST_CASE("sending is the batch as it is, with the time") {
  const auto result = sending(batch_of(std::nullopt, 2), kNow);
  CHECK(result.status == BatchStatus::pending);
  CHECK(result.first_sent_at == kNow);
  CHECK(result.attempts == 2);
  CHECK(result.next_attempt_at == kNow - 1min);
}

TEST_CASE("the key is the identifier, until Stripe has stored a failure under it") {
  auto batch = batch_of(kNow - 1h, 1);
  CHECK(idempotency_key(batch) == "fs_1");
  batch.error_code = after(batch, stripe::Unknown{"timeout"}).error_code;
  CHECK(idempotency_key(batch) == "fs_1");
  batch.error_code = after(batch, stripe::Unknown{"500", true}).error_code;
  batch.attempts = 2;
  CHECK(idempotency_key(batch) == "fs_1-2");
  // From then on a refusal under another key proves nothing about the attempt that failed.
  for (const stripe::CallOutcome& outcome :
       {stripe::CallOutcome(stripe::Unknown{"timeout"}), stripe::CallOutcome(stripe::RetryLater{"429", kNow}),
        stripe::CallOutcome(stripe::NotConnected{"revoked"})}) {
    CHECK(after(batch, outcome).error_code == "stripe_failed");
  }
  CHECK(after(batch, stripe::Refused{"parameter_invalid", "No such meter", ""}).status == BatchStatus::ambiguous);
  CHECK(after(batch, stripe::Refused{"", "An event already exists with identifier fs_1", ""}).status ==
        BatchStatus::sent);
}

TEST_CASE("after an attempt: properties") {
  rc::prop("what may have reached Stripe is not sent again after a day, and keeps since when", [] {
    auto batch = batch_of();
    auto now = kNow;
    std::optional<Timestamp> reached;  // the first attempt that may have been taken
    for (int attempt = 0; attempt < 40 && batch.status == BatchStatus::pending; ++attempt) {
      now += std::chrono::minutes(*rc::gen::inRange(0, 300));
      auto result = before_attempt(batch, now, kPolicy);
      if (!result) {
        RC_ASSERT(!reached || now - *reached < 24h);
        const auto first_sent = batch.first_sent_at.value_or(now);
        const int kind = *rc::gen::inRange(0, 8);
        const auto outcome = kind == 0   ? stripe::CallOutcome(stripe::Refused{"invalid", "no", ""})
                             : kind <= 3 ? stripe::CallOutcome(stripe::RetryLater{"429", now})
                             : kind <= 5 ? stripe::CallOutcome(stripe::Unknown{"500", kind == 5})
                             : kind == 6 ? stripe::CallOutcome(stripe::NotConnected{"revoked"})
                                         : stripe::CallOutcome(stripe::Unknown{"timeout"});
        result = after_attempt(batch, outcome, now, first_sent, kPolicy);
        if (std::holds_alternative<stripe::Unknown>(outcome) && !reached) {
          reached = now;
        }
      }
      batch.status = result->status;
      batch.attempts = result->attempts;
      batch.error_code = result->error_code;
      batch.next_attempt_at = result->next_attempt_at;
      batch.first_sent_at = result->first_sent_at;
      RC_ASSERT(batch.status == BatchStatus::rejected || !reached || batch.first_sent_at == reached);
      RC_ASSERT(batch.status != BatchStatus::expired);
    }
  });
}
