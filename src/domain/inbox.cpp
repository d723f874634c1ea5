#include "domain/inbox.hpp"

#include <stdexcept>

namespace flexsync {

std::string to_string(InboxOutcome outcome) {
  switch (outcome) {
    case InboxOutcome::applied:
      return "applied";
    case InboxOutcome::unchanged:
      return "unchanged";
    case InboxOutcome::superseded:
      return "superseded";
    case InboxOutcome::ignored:
      return "ignored";
    case InboxOutcome::deferred:
      return "deferred";
    case InboxOutcome::parked:
      return "parked";
    case InboxOutcome::discarded:
      return "discarded";
  }
  throw std::invalid_argument("no such inbox outcome");
}

std::string to_string(ParkedState state) {
  switch (state) {
    case ParkedState::retrying:
      return "retrying";
    case ParkedState::blocked:
      return "blocked";
    case ParkedState::dead:
      return "dead";
    case ParkedState::redriven:
      return "redriven";
  }
  throw std::invalid_argument("no such parked state");
}

}  // namespace flexsync
