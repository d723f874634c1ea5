// What an API command means for our customer, and what Stripe is to be told of it: pure decisions.
#pragma once

#include <variant>

#include "domain/change_set.hpp"
#include "domain/commands.hpp"
#include "domain/error.hpp"
#include "sync/customer_state.hpp"

namespace flexsync::sync {

struct CommandTask {
  std::int64_t epoch = 0;
  const CustomerCommand& command;
  Timestamp now;
};

// Nothing to write: the customer as it is, and the intent, if any, that still has to reach Stripe.
struct Unchanged {
  CustomerReply reply;
};

// A change set to commit, an answer at once, or why not.
using CommandDecision = std::variant<ChangeSet, Unchanged, Error>;

CommandDecision decide_command(const CommandTask& task, const CustomerSnapshot& snapshot);

}  // namespace flexsync::sync
