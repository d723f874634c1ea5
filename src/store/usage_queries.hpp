// The reading side of usage and meters, over the read pool.
#pragma once

#include <chrono>

#include "domain/clock.hpp"
#include "domain/usage_ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

class StoreUsageQueries final : public UsageQueries {
 public:
  // `grace`: how long after its end a segment is closed; it tells open rollups from due ones.
  StoreUsageQueries(ReadPool& pool, const Clock& clock, std::chrono::minutes grace)
      : pool_(pool), clock_(clock), grace_(grace) {}

  // The total of events is counted up to kUsageEventsCountedMax.
  Result<Page<UsageEvent>> usage_events(const Scope& scope, const UsageEventFilter& filter) override;
  Result<Page<Meter>> meters(const Scope& scope, const ListOptions& list) override;
  Result<Meter> meter(const Scope& scope, const MeterId& id) override;
  Result<Page<MeterMapping>> meter_mappings(const Scope& scope, const ListOptions& list,
                                            const std::string& meter_id) override;
  Result<MeterMapping> meter_mapping(const Scope& scope, const MeterMappingId& id) override;
  Result<Page<UsageBatch>> usage_batches(const Scope& scope, const BatchFilter& filter) override;

  // Unmetered events are those whose event_name no meter has: fields and filters are not looked at, since that would
  // read every event.
  Result<UsageStatus> usage_status(const Scope& scope) override;

 private:
  ReadPool& pool_;
  const Clock& clock_;
  std::chrono::minutes grace_;
};

inline constexpr int kUsageEventsCountedMax = 100'000;

// Live ones, inside a transaction that has entered its scope: not_found otherwise.
Result<Meter> find_meter(pqxx::transaction_base& tx, const MeterId& id);
Result<MeterMapping> find_meter_mapping(pqxx::transaction_base& tx, const MeterMappingId& id);

}  // namespace flexsync::store
