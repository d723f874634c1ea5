#include "sync/failure.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::sync;
using std::chrono::milliseconds;

namespace {

const Timestamp kNow = from_unix_seconds(1'790'000'000);

}  // namespace

TEST_CASE("the back-off doubles up to its cap, its second half random") {
  const RetryPolicy policy{8, milliseconds{500}, milliseconds{4'000}};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    long long full = 500;
    for (int attempt = 1; attempt <= 6; ++attempt) {
      const auto wait = backoff(policy, attempt, seed).count();
      CHECK(wait >= full / 2);
      CHECK(wait <= full);
      full = std::min(full * 2, 4'000LL);
    }
  }
}

TEST_CASE("the same failure waits equally long whoever asks, another event differently") {
  const RetryPolicy policy;
  CHECK(backoff(policy, 3, 7) == backoff(policy, 3, 7));
  int different = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    different += backoff(policy, 5, seed) != backoff(policy, 5, seed + 1) ? 1 : 0;
  }
  CHECK(different > 15);
}

TEST_CASE("however many attempts, the back-off stays between nothing and its cap") {
  rc::prop("bounds", [] {
    const RetryPolicy policy{8, milliseconds{*rc::gen::inRange(1, 10'000)},
                             milliseconds{*rc::gen::inRange(1, 900'000)}};
    const auto wait = backoff(policy, *rc::gen::inRange(-1, 1'000'000), *rc::gen::arbitrary<std::uint64_t>());
    RC_ASSERT(wait.count() >= 0);
    RC_ASSERT(wait <= policy.cap);
  });
}

TEST_CASE("a failed event is retried until its last attempt, then dead") {
  const RetryPolicy policy{3, milliseconds{500}, milliseconds{60'000}};
  const auto first = after_failure(policy, 0, 1, kNow, "stripe_unavailable", "no answer");
  CHECK(first.state == ParkedState::retrying);
  CHECK(first.attempts == 1);
  CHECK(first.next_attempt_at >= kNow + milliseconds{250});
  CHECK(first.next_attempt_at <= kNow + milliseconds{500});
  CHECK(first.error_code == "stripe_unavailable");
  CHECK(first.error_message == "no answer");
  CHECK(after_failure(policy, 1, 1, kNow, "x", "y").state == ParkedState::retrying);
  const auto last = after_failure(policy, 2, 1, kNow, "x", "y");
  CHECK(last.state == ParkedState::dead);
  CHECK(last.attempts == 3);
}

TEST_CASE("by default an event dies with its eighth failure") {
  CHECK(after_failure({}, 6, 1, kNow, "x", "y").state == ParkedState::retrying);
  CHECK(after_failure({}, 7, 1, kNow, "x", "y").state == ParkedState::dead);
}

TEST_CASE("Stripe is asked again after about as long as it has not answered, every five minutes, for seven days") {
  const RetryPolicy policy{8, milliseconds{500}, milliseconds{900'000}};
  const auto pause = [&](milliseconds waited) {
    const auto parked = unanswered(policy, 3, 7, kNow - waited, kNow, "no answer");
    CHECK(parked.state == ParkedState::retrying);
    CHECK(parked.error_code == "stripe_unavailable");
    CHECK(parked.error_message == "no answer");
    CHECK(parked.attempts == 3);  // it costs none
    return std::chrono::duration_cast<milliseconds>(parked.next_attempt_at - kNow);
  };
  for (const auto waited : {milliseconds{0}, milliseconds{500}, milliseconds{20'000}, milliseconds{300'000}}) {
    const auto full = std::max(waited, policy.base);
    CHECK(pause(waited) >= full / 2);
    CHECK(pause(waited) <= full);
  }
  CHECK(pause(kWaitMax - milliseconds{1}) <= kWaitRecheck);
  CHECK(unanswered({8, milliseconds{500}, milliseconds{4'000}}, 3, 7, kNow - kWaitRecheck, kNow, "").next_attempt_at <=
        kNow + milliseconds{4'000});
  const auto dead = unanswered(policy, 3, 7, kNow - kWaitMax, kNow, "no answer");
  CHECK(dead.state == ParkedState::dead);
  CHECK(dead.error_code == "stripe_unavailable");
}

TEST_CASE("what would fail again is dead at once") {
  const auto dead = given_up(0, kNow, "conflict", "mapped twice");
  CHECK(dead.state == ParkedState::dead);
  CHECK(dead.attempts == 1);
  CHECK(dead.next_attempt_at == kNow);
  CHECK(dead.error_code == "conflict");
}
