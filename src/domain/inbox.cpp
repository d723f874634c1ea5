#include "domain/inbox.hpp"

#include <algorithm>
#include <stdexcept>

namespace flexsync {

namespace {

struct Advice {
  std::string_view error_code;
  std::string_view text;
};

// docs/runbooks/dead-letters.md says the same at length.
constexpr std::array kAdvice = {
    Advice{"conflict", "Put right in Stripe (or here) what the message names, then redrive; discard a wrong event."},
    Advice{"unreadable", "The event is not as Stripe documents it: update Flexsync, then redrive."},
    Advice{"stripe_unavailable",
           "See that Stripe can be reached and knows the key (flexsync connection test), then redrive."},
    Advice{"blocked", "Make the object that the message names appear (have its event sent again), then redrive."},
    Advice{"parents", "See in the message which customer or plan could not be had, and why; then redrive."},
    Advice{"unknown_value", "Stripe has a word that is new to this version: update Flexsync, then redrive."},
    Advice{"version_conflict", "Redrive; if it comes again, report it."},
    Advice{"rejected", "A fault of Flexsync's: report it, and redrive after the update."},
    Advice{"actor_failed", "A fault of Flexsync's: report it, and redrive after the update."},
};
constexpr std::string_view kAdviceElse =
    "Put right what the message names, then redrive; discard what shall not take effect.";

}  // namespace

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

bool is_event_state(std::string_view text) {
  return std::find(kEventStates.begin(), kEventStates.end(), text) != kEventStates.end();
}

std::string event_states() {
  std::string all;
  for (const auto state : kEventStates) {
    all.append(all.empty() ? "" : ", ").append(state);
  }
  return all;
}

std::string_view advice_for(std::string_view error_code) {
  const auto* found = std::find_if(kAdvice.begin(), kAdvice.end(),
                                   [&](const Advice& advice) { return advice.error_code == error_code; });
  return found == kAdvice.end() ? kAdviceElse : found->text;
}

}  // namespace flexsync
