#include "domain/outbox.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace flexsync;

TEST_CASE("every operation and state of an intent has a name and is read back", "[domain][outbox]") {
  for (const auto operation :
       {IntentOperation::create_customer, IntentOperation::update_customer, IntentOperation::delete_customer}) {
    CHECK(parse_intent_operation(to_string(operation)) == operation);
  }
  for (const auto state : {IntentState::ready, IntentState::settled, IntentState::refused, IntentState::superseded}) {
    CHECK(parse_intent_state(to_string(state)) == state);
  }
  CHECK(to_string(IntentOperation::create_customer) == "create_customer");
  CHECK(to_string(IntentState::ready) == "ready");
}

TEST_CASE("a name of no operation and of no state is refused", "[domain][outbox]") {
  CHECK_THROWS_AS(parse_intent_operation("create"), std::invalid_argument);
  CHECK_THROWS_AS(parse_intent_operation(""), std::invalid_argument);
  CHECK_THROWS_AS(parse_intent_state("sent"), std::invalid_argument);
  CHECK_THROWS_AS(to_string(static_cast<IntentState>(9)), std::invalid_argument);
  CHECK_THROWS_AS(to_string(static_cast<IntentOperation>(9)), std::invalid_argument);
}
