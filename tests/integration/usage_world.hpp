// A store test's world with usage: writer, ledger, commands, queries and audit over one database.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "integration/store_world.hpp"
#include "store/meter_commands.hpp"
#include "store/usage_audit.hpp"
#include "store/usage_ledger.hpp"
#include "store/usage_queries.hpp"
#include "store/usage_writer.hpp"

namespace flexsync::testing {

inline constexpr std::chrono::minutes kWindow{60};
inline constexpr std::chrono::minutes kGrace{5};
inline const Timestamp kNoon = from_unix_seconds(1'795'003'200);  // 2026-11-18 12:00, half an hour after kStart

UsageEvent usage_event(const std::string& id, const std::string& customer = "ext_1", Timestamp at = kNoon,
                       const std::string& tokens = "1", const std::string& name = "call");

struct UsageWorld : StoreWorld {
  explicit UsageWorld(store::UsageWriterConfig config = {});

  // A customer of this external id; mapped to Stripe where `stripe_id` is given.
  std::string new_customer(const Scope& scope, const std::string& external_id = "ext_1",
                           const std::string& stripe_id = "");
  Meter new_meter(const Scope& scope, Aggregation aggregation = Aggregation::sum,
                  std::vector<MeterFilter> filters = {});
  MeterMapping map_meter(const Scope& scope, const MeterId& meter, Timestamp start_at = kNoon - std::chrono::hours(48),
                         int scale = 0);

  // Waits for the answer.
  Result<UsageReceipt> store(const Scope& scope, std::vector<UsageEvent> events);

  Result<store::Closed> close(const Scope& scope, Timestamp now, std::int64_t epoch = 1);
  std::vector<UsageBatch> pending(const Scope& scope, Timestamp now, std::vector<BatchId> in_flight = {});
  Result<void> book(const Scope& scope, const UsageBatch& batch, BatchStatus status, std::int64_t epoch = 1);
  Result<std::int64_t> match_again(const Scope& scope, std::int64_t epoch = 1, int events_max = 1000);

  // A scope whose usage epoch 1 owns.
  Scope new_owned_scope(const std::string& name = "Acme");

  // "quantity/count" of all rollups of a scope.
  std::string rolled_up(const Scope& scope);
  // Fails the test where the audit finds a difference.
  store::UsageTotals audited_usage(const Scope& scope);

  store::StripeMeter stripe_meter{"billed_call", "sum", "active", "stripe_customer_id", "value"};
  store::ReadPool ledger_pool;
  store::StoreUsageLedger ledger;
  store::StoreMeterCommands meters;
  store::StoreUsageQueries queries;
  store::UsageAudit audit_of_usage;
  std::unique_ptr<store::UsageWriter> writer;
};

std::string in_scope(const Scope& scope);  // " WHERE tenant_id = '…' AND environment_id = '…'"

}  // namespace flexsync::testing
