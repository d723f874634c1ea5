#include "domain/outbox.hpp"

#include <stdexcept>

namespace flexsync {

std::string to_string(IntentOperation operation) {
  switch (operation) {
    case IntentOperation::create_customer:
      return "create_customer";
    case IntentOperation::update_customer:
      return "update_customer";
    case IntentOperation::delete_customer:
      return "delete_customer";
  }
  throw std::invalid_argument("no such intent operation");
}

IntentOperation parse_intent_operation(const std::string& text) {
  for (const auto operation :
       {IntentOperation::create_customer, IntentOperation::update_customer, IntentOperation::delete_customer}) {
    if (text == to_string(operation)) {
      return operation;
    }
  }
  throw std::invalid_argument("no such intent operation: " + text);
}

std::string to_string(IntentState state) {
  switch (state) {
    case IntentState::ready:
      return "ready";
    case IntentState::settled:
      return "settled";
    case IntentState::refused:
      return "refused";
    case IntentState::superseded:
      return "superseded";
  }
  throw std::invalid_argument("no such intent state");
}

IntentState parse_intent_state(const std::string& text) {
  for (const auto state : {IntentState::ready, IntentState::settled, IntentState::refused, IntentState::superseded}) {
    if (text == to_string(state)) {
      return state;
    }
  }
  throw std::invalid_argument("no such intent state: " + text);
}

}  // namespace flexsync
