// The ports of usage and meters (see ports.hpp): what http needs of the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.hpp"
#include "domain/ports.hpp"
#include "domain/usage.hpp"

namespace flexsync {

// At most kUsageEventsPerCall of one tenant; events without an id were given one before.
inline constexpr std::size_t kUsageEventsPerCall = 1000;

struct UsageSubmission {
  Scope scope;
  std::vector<UsageEvent> events;
  std::string request_id;
};

struct UsageReceipt {
  std::size_t stored = 0;
  std::size_t duplicates = 0;
};

// Stores events and adds them to their rollups; the reply comes after the commit, on a thread of the store's.
// Errors: service_unavailable.
class UsageIntake {
 public:
  virtual ~UsageIntake() = default;
  virtual void store(UsageSubmission submission, std::function<void(Result<UsageReceipt>)> reply) = 0;
};

struct UsageEventFilter {
  ListOptions list;  // by timestamp
  std::string event_id;
  std::string event_name;
  std::string external_customer_id;
};

struct BatchFilter {
  ListOptions list;
  std::string id;
  std::string status;  // of BatchStatus
  std::string customer_id;
  std::string meter_id;
  std::optional<Timestamp> window_from;
  std::optional<Timestamp> window_to;
};

// How much stands where; quantities are not added up across meters, so these are counts.
struct UsageStatus {
  std::int64_t events = 0;
  std::int64_t events_unattributed = 0;         // of no known customer
  std::int64_t events_unmetered = 0;            // of a known customer, matched by no meter
  std::int64_t rollups_open = 0;                // with something not batched, window or grace not over
  std::int64_t rollups_due = 0;                 // over, mapped, to be batched
  std::int64_t rollups_unmapped = 0;            // over, but meter or customer is not mapped to Stripe
  std::map<std::string, std::int64_t> batches;  // by status
  std::optional<Timestamp> last_synced_at;
};

class UsageQueries {
 public:
  virtual ~UsageQueries() = default;
  virtual Result<Page<UsageEvent>> usage_events(const Scope& scope, const UsageEventFilter& filter) = 0;
  virtual Result<Page<Meter>> meters(const Scope& scope, const ListOptions& list) = 0;
  virtual Result<Meter> meter(const Scope& scope, const MeterId& id) = 0;
  virtual Result<Page<MeterMapping>> meter_mappings(const Scope& scope, const ListOptions& list,
                                                    const std::string& meter_id) = 0;
  virtual Result<MeterMapping> meter_mapping(const Scope& scope, const MeterMappingId& id) = 0;
  virtual Result<Page<UsageBatch>> usage_batches(const Scope& scope, const BatchFilter& filter) = 0;
  virtual Result<UsageStatus> usage_status(const Scope& scope) = 0;
};

// Blocking. Each holds the tenant's meter set exclusively, counts again what the change touches, and leaves an audit
// row naming `by`.
class MeterCommands {
 public:
  virtual ~MeterCommands() = default;
  // Events already there count, too.
  virtual Result<Meter> create_meter(const Scope& scope, Meter wanted, const Principal& by) = 0;
  // FlexPrice's PUT: filters only. Unbatched segments are counted again.
  virtual Result<Meter> update_meter_filters(const Scope& scope, const MeterId& id, std::vector<MeterFilter> filters,
                                             const Principal& by) = 0;
  // Counts no more; invalid_operation while a mapping bills it.
  virtual Result<void> delete_meter(const Scope& scope, const MeterId& id, const Principal& by) = 0;

  // The Stripe meter is looked up and must be active with formula `sum`: validation_error says what it is instead.
  // One live mapping per meter and per Stripe meter: already_exists.
  virtual Result<MeterMapping> create_meter_mapping(const Scope& scope, MeterMapping wanted, const Principal& by) = 0;
  virtual Result<MeterMapping> update_meter_mapping(const Scope& scope, const MeterMappingId& id,
                                                    std::optional<bool> sync_enabled, const Principal& by) = 0;
  virtual Result<void> delete_meter_mapping(const Scope& scope, const MeterMappingId& id, const Principal& by) = 0;

  // Rejected batches: their quantity goes back to the rollup and is billed under the next sequence. How many.
  virtual Result<std::int64_t> return_rejected(const Scope& scope, const BatchFilter& filter, const Principal& by) = 0;
};

}  // namespace flexsync
