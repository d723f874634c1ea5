// A subscription asks for its customer or its plan to exist: what it is here, or what is made of it. Pure decisions.
#pragma once

#include <optional>
#include <string>

#include "domain/change_set.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

// A subscription needs this customer, product or price to exist here.
struct ParentTask {
  Scope scope;
  std::int64_t epoch = 0;
  EntityKey entity;
  Parent parent;
  std::string request_id;
  Timestamp now;
};

// The entity's id, where it exists already; in a price's case the plan's that it is.
std::optional<std::string> existing_parent(const ParentTask& task, const EntitySnapshot& snapshot);

// The parent as Stripe has it, or an empty shell, older than any event, where Stripe could not be asked (`fetched` is
// empty). Never Refetch.
Decision decide_parent(const ParentTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                       const std::optional<Fetched>& fetched);

}  // namespace flexsync::sync
