#include "sync/silence.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::sync;

namespace {

constexpr int kAttemptsMax = 5;

stripe::ObjectEvent event(std::string_view type, bool hint) {
  stripe::ObjectEvent event;
  event.type = std::string(type);
  event.hint = hint;
  return event;
}

}  // namespace

TEST_CASE("why Stripe says nothing", "[silence]") {
  CHECK(no_answer(stripe::NotFound{"none"}).silence == Silence::refused);
  CHECK(no_answer(stripe::Refused{"code", "may not", ""}).silence == Silence::refused);
  CHECK(no_answer(stripe::NotConnected{"no key"}).silence == Silence::not_connected);
  CHECK(no_answer(stripe::RetryLater{"429", {}}).silence == Silence::unavailable);
  CHECK(no_answer(stripe::Unknown{"lost"}).silence == Silence::unavailable);
  CHECK(no_answer(stripe::Refused{"code", "may not", ""}).why == "may not");
}

TEST_CASE("what an event comes to without Stripe's answer", "[silence]") {
  const auto snapshot = event("customer.updated", false);
  const auto thin = event("v1.customer.updated", true);
  const auto comparison = event(stripe::kReconcileEvent, true);
  for (const auto& any : {snapshot, thin, comparison}) {
    CHECK(without_answer(any, Silence::refused, 0, kAttemptsMax) == WithoutAnswer::go_on);
  }
  CHECK(without_answer(thin, Silence::not_connected, 0, kAttemptsMax) == WithoutAnswer::wait);
  CHECK(without_answer(thin, Silence::unavailable, 1'000, kAttemptsMax) == WithoutAnswer::wait);
  for (const auto& other : {snapshot, comparison}) {
    CHECK(without_answer(other, Silence::not_connected, 0, kAttemptsMax) == WithoutAnswer::go_on);
    CHECK(without_answer(other, Silence::unavailable, kAttemptsMax - 2, kAttemptsMax) == WithoutAnswer::try_again);
    CHECK(without_answer(other, Silence::unavailable, kAttemptsMax - 1, kAttemptsMax) == WithoutAnswer::go_on);
  }
}
