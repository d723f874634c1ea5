#include "integration/usage_world.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "domain/ulid.hpp"

namespace flexsync::testing {

namespace {

template <class T, class Start>
T wait_for(Start start) {
  std::promise<T> promise;
  start([&promise](T result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

}  // namespace

UsageEvent usage_event(const std::string& id, const std::string& customer, Timestamp at, const std::string& tokens,
                       const std::string& name) {
  UsageEvent event;
  event.id = UsageEventId{id};
  event.event_name = name;
  event.external_customer_id = customer;
  event.timestamp = at;
  event.properties = {{"tokens", tokens}, {"model", "small"}};
  event.source = "test";
  event.received = kStart;
  return event;
}

std::string in_scope(const Scope& scope) {
  return " WHERE tenant_id = '" + scope.tenant.str() + "' AND environment_id = '" + scope.environment.str() + "'";
}

UsageWorld::UsageWorld(store::UsageWriterConfig config)
    : ledger_pool({.url = database.url(), .name = "ledger"}, metrics),
      ledger(ledger_pool, kWindow),
      meters(
          ledger_pool, clock, [this](const Scope&, const StripeId&) { return stripe_meter; }, kWindow),
      queries(pool, clock, kGrace),
      audit_of_usage(ledger_pool, kWindow, kGrace) {
  config.url = database.url();
  config.window = kWindow;
  writer = std::make_unique<store::UsageWriter>(config, metrics);
}

std::string UsageWorld::new_customer(const Scope& scope, const std::string& external_id, const std::string& stripe_id) {
  const auto id = new_id_text(prefix::kCustomer, clock.now());
  const auto keys = "'" + scope.tenant.str() + "', '" + scope.environment.str() + "', ";
  sql("INSERT INTO customers VALUES (" + keys + "'" + id + "', '" + external_id +
      "', 'n', '', '', '', '', '', '', '', '', '{}', 'published', 1, now(), now(), '', '')");
  if (!stripe_id.empty()) {
    sql("INSERT INTO entity_integration_mappings VALUES (" + keys + "'eim_" + id + "', 'customer', '" + id +
        "', 'stripe', '" + stripe_id + "', '{}', 'published', now(), now())");
  }
  return id;
}

Meter UsageWorld::new_meter(const Scope& scope, Aggregation aggregation, std::vector<MeterFilter> filters) {
  Meter meter;
  meter.name = "Calls";
  meter.event_name = "call";
  meter.aggregation = aggregation;
  meter.field = "tokens";
  meter.filters = std::move(filters);
  const auto created = meters.create_meter(scope, meter, admin);
  INFO((created ? "" : created.error().message));
  REQUIRE(created);
  return *created;
}

MeterMapping UsageWorld::map_meter(const Scope& scope, const MeterId& meter, Timestamp start_at, int scale) {
  MeterMapping mapping;
  mapping.meter_id = meter;
  mapping.stripe_meter_id = StripeId{"mtr_" + meter.str()};
  mapping.start_at = start_at;
  mapping.scale = scale;
  const auto created = meters.create_meter_mapping(scope, mapping, admin);
  INFO((created ? "" : created.error().message));
  REQUIRE(created);
  return *created;
}

Result<UsageReceipt> UsageWorld::store(const Scope& scope, std::vector<UsageEvent> events) {
  return wait_for<Result<UsageReceipt>>([&](auto reply) { writer->store({scope, std::move(events), "req_1"}, reply); });
}

Result<store::Closed> UsageWorld::close(const Scope& scope, Timestamp now, std::int64_t epoch) {
  store::CloseRequest request;
  request.epoch = epoch;
  request.now = now;
  request.grace = kGrace;
  return wait_for<Result<store::Closed>>([&](auto reply) { ledger.close_windows(scope, request, reply); });
}

std::vector<UsageBatch> UsageWorld::pending(const Scope& scope, Timestamp now, std::vector<BatchId> in_flight) {
  const auto read = wait_for<Result<std::vector<UsageBatch>>>(
      [&](auto reply) { ledger.read_pending(scope, now, 100, std::move(in_flight), reply); });
  REQUIRE(read);
  return *read;
}

Result<void> UsageWorld::book(const Scope& scope, const UsageBatch& batch, BatchStatus status, std::int64_t epoch) {
  BatchResult result;
  result.id = batch.id;
  result.status = status;
  result.attempts = batch.attempts + 1;
  result.next_attempt_at = batch.next_attempt_at;
  result.first_sent_at = clock.now();
  if (status == BatchStatus::sent) {
    result.synced_at = clock.now();
  }
  return wait_for<Result<void>>([&](auto reply) { ledger.book(scope, epoch, {result}, clock.now(), reply); });
}

Result<std::int64_t> UsageWorld::match_again(const Scope& scope, std::int64_t epoch, int events_max) {
  return wait_for<Result<std::int64_t>>(
      [&](auto reply) { ledger.match_again(scope, epoch, events_max, clock.now(), reply); });
}

Scope UsageWorld::new_owned_scope(const std::string& name) {
  const auto scope = new_scope(name);
  sql("INSERT INTO tenant_owner VALUES ('" + scope.tenant.str() + "', '" + scope.environment.str() + "', 1)");
  return scope;
}

std::string UsageWorld::rolled_up(const Scope& scope) {
  return value("SELECT coalesce(trim_scale(sum(quantity))::text || '/' || sum(event_count), '') FROM usage_rollups" +
               in_scope(scope));
}

store::UsageTotals UsageWorld::audited_usage(const Scope& scope) {
  const auto report = audit_of_usage.run(scope, clock.now());
  INFO((report ? "" : report.error().message));
  REQUIRE(report);
  if (const auto& d = report->first_difference) {
    FAIL(d->what << ": " << d->customer_id.str() << " " << d->meter_id.str() << " "
                 << (d->segment ? to_rfc3339(d->segment->start) : "") << " " << d->expected.str() << "/"
                 << d->expected_count << " is not " << d->found.str() << "/" << d->found_count);
  }
  return report->totals;
}

}  // namespace flexsync::testing
