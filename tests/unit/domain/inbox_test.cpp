#include "domain/inbox.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;

TEST_CASE("every outcome and every parked state is one that events are shown in", "[inbox]") {
  for (const auto outcome :
       {InboxOutcome::applied, InboxOutcome::unchanged, InboxOutcome::superseded, InboxOutcome::ignored,
        InboxOutcome::deferred, InboxOutcome::parked, InboxOutcome::discarded}) {
    CHECK(is_event_state(to_string(outcome)));
  }
  for (const auto state : {ParkedState::retrying, ParkedState::blocked, ParkedState::dead, ParkedState::redriven}) {
    CHECK(is_event_state(to_string(state)));
  }
  CHECK(is_event_state("pending"));
  CHECK_FALSE(is_event_state("finished"));
  CHECK_FALSE(is_event_state(""));
  CHECK(event_states().starts_with("pending, applied, "));
}

TEST_CASE("whatever a dead letter died of, there is something to do", "[inbox]") {
  CHECK(advice_for("conflict") != advice_for("unreadable"));
  for (const auto* code : {"blocked", "parents", "unknown_value", "stripe_unavailable"}) {
    CHECK(advice_for(code) != advice_for("a code of tomorrow"));
  }
  CHECK(advice_for("a code of tomorrow").find("redrive") != std::string_view::npos);
}
