// One commit of usage intake, inside the caller's transaction: keys first, then only what is new goes on to events
// and rollups.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/usage_ports.hpp"
#include "store/meter_set.hpp"

namespace flexsync::store {

struct RenderedUsage {
  UsageSubmission submission;
  std::vector<std::string> properties;  // of each event, as JSON: rendered by the caller's thread, not the writer's
};

// How keys are written. Bare is a third cheaper, and right as long as nothing comes twice: one key that is there fails
// the whole transaction (unique_violation), which is then to be tried again in the other way.
enum class KeyInsert : std::uint8_t { bare, on_conflict };

// What became of each, in order; nothing: its tenant's meters are being changed, and none of it was stored. The same
// event twice in one commit: the first submission's wins, of one submission the first in its list. Leaves in each new
// event the customer it was counted for.
std::vector<std::optional<UsageReceipt>> store_usage(pqxx::transaction_base& tx,
                                                     const std::vector<RenderedUsage*>& batch, MeterCache& cache,
                                                     std::chrono::minutes window, KeyInsert how);

}  // namespace flexsync::store
