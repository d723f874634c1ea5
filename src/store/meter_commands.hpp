// Meters and their mappings, behind the port of the same name.
#pragma once

#include <chrono>
#include <functional>

#include "domain/clock.hpp"
#include "domain/usage_ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

// What a mapping needs to know of Stripe's meter.
struct StripeMeter {
  std::string event_name;
  std::string formula;       // "sum", "count", "last"
  std::string status;        // "active", "inactive"
  std::string customer_key;  // of the payload
  std::string value_key;
};

class StoreMeterCommands final : public MeterCommands {
 public:
  using LookUp = std::function<Result<StripeMeter>(const Scope&, const StripeId&)>;

  // `pool`: the ledger's, since a change may count for a while. `look_up` asks Stripe, outside of any transaction.
  StoreMeterCommands(ReadPool& pool, const Clock& clock, LookUp look_up, std::chrono::minutes window)
      : pool_(pool), clock_(clock), look_up_(std::move(look_up)), window_(window) {}

  Result<Meter> create_meter(const Scope& scope, Meter wanted, const Principal& by) override;
  Result<Meter> update_meter_filters(const Scope& scope, const MeterId& id, std::vector<MeterFilter> filters,
                                     const Principal& by) override;
  Result<void> delete_meter(const Scope& scope, const MeterId& id, const Principal& by) override;

  // meter_mapping_commands.cpp
  Result<MeterMapping> create_meter_mapping(const Scope& scope, MeterMapping wanted, const Principal& by) override;
  Result<MeterMapping> update_meter_mapping(const Scope& scope, const MeterMappingId& id,
                                            std::optional<bool> sync_enabled, const Principal& by) override;
  Result<void> delete_meter_mapping(const Scope& scope, const MeterMappingId& id, const Principal& by) override;

  // usage_returning.cpp
  Result<std::int64_t> return_rejected(const Scope& scope, const BatchFilter& filter, const Principal& by) override;

 private:
  ReadPool& pool_;
  const Clock& clock_;
  LookUp look_up_;
  std::chrono::minutes window_;
};

}  // namespace flexsync::store
