#include "app/runtime.hpp"

#include "actors/engine.hpp"
#include "app/customer_commands.hpp"
#include "app/database.hpp"
#include "app/local_keys.hpp"
#include "app/settings.hpp"
#include "app/stripe_meters.hpp"
#include "app/webhook_verifier.hpp"
#include "http/server.hpp"
#include "store/authenticator.hpp"
#include "store/catalog_queries.hpp"
#include "store/catch_up_cursors.hpp"
#include "store/connection_cache.hpp"
#include "store/dead_letter_commands.hpp"
#include "store/inbox_writer.hpp"
#include "store/meter_commands.hpp"
#include "store/outbox_source.hpp"
#include "store/provisioning.hpp"
#include "store/queries.hpp"
#include "store/reconcile_source.hpp"
#include "store/secret_box.hpp"
#include "store/usage_ledger.hpp"
#include "store/usage_queries.hpp"
#include "telemetry/log.hpp"

namespace flexsync::app {

namespace {

constexpr std::chrono::seconds kDepthsInterval{15};  // counting a backlog costs what it holds

class DatabaseReadiness final : public Readiness {
 public:
  explicit DatabaseReadiness(store::ReadPool& pool) : pool_(pool) {}

  std::optional<std::string> why_not_ready() override {
    const auto error = pool_.run(std::nullopt, "checking readiness", [](pqxx::transaction_base&) {});
    return error ? std::optional(error->message) : std::nullopt;
  }

 private:
  store::ReadPool& pool_;
};

void report_depths(const std::vector<store::StoreInboxSource::Depth>& depths, Metrics& metrics, Timestamp now) {
  for (const auto& [scope, depth, oldest, dead] : depths) {
    const auto& tenant = scope.tenant.str();
    const auto& environment = scope.environment.str();
    const std::chrono::duration<double> age = now - oldest;
    metrics.inbox_depth(tenant, environment).Set(static_cast<double>(depth));
    metrics.inbox_oldest_seconds(tenant, environment).Set(depth > 0 ? age.count() : 0);
    metrics.dead_letters(tenant, environment).Set(static_cast<double>(dead));
  }
}

void report_depths(const std::vector<store::StoreOutboxSource::Depth>& depths, Metrics& metrics, Timestamp now) {
  for (const auto& [scope, ready, oldest, refused] : depths) {
    const auto& tenant = scope.tenant.str();
    const auto& environment = scope.environment.str();
    const std::chrono::duration<double> age = now - oldest;
    metrics.outbox_depth(tenant, environment).Set(static_cast<double>(ready));
    metrics.outbox_oldest_seconds(tenant, environment).Set(ready > 0 ? age.count() : 0);
    metrics.outbox_refused(tenant, environment).Set(static_cast<double>(refused));
  }
}

}  // namespace

// In start order. Late answers of the writers' and the transport's threads go to actors, hence the engine (the actor
// system) before them: it is destroyed last.
struct Runtime::Parts {
  Parts(const Config& config, Database opened, LocalKeys keys)
      : database(std::move(opened)),
        secrets(std::move(keys.master_keys)),
        engine(scheduler_config(config)),
        pool(read_pool_config(config, database.server_url), metrics),
        ledger_pool(ledger_pool_config(config, database.server_url), metrics),
        inbox_source(pool),
        outbox_source(pool),
        ledger(ledger_pool, window_of(config)),
        catch_up_cursors(pool),
        reconcile_source(pool),
        changes(std::make_unique<store::ChangeWriter>(change_writer_config(config, database.server_url), metrics,
                                                      precedence)),
        snapshots(std::make_unique<store::SnapshotLoader>(snapshot_config(config, database.server_url), metrics)),
        transport(stripe::make_curl_transport(transport_config(config))),
        connections(pool, secrets, clock),
        authenticator(pool, clock, keys.admin_key),
        provisioning(pool, secrets, clock,
                     {[this](const ApiKeyId& id) { authenticator.forget(id); },
                      [this](const Scope& scope) {
                        connections.invalidate(scope);
                        engine.rekeyed(scope);
                      }}),
        queries(pool),
        catalog(pool),
        dead_letters(pool, clock, [this](const Scope& scope) { engine.due(scope); }),
        customer_commands(engine, connections),
        usage_queries(pool, clock, std::chrono::minutes(config.usage.grace_period_minutes)),
        meter_commands(
            ledger_pool, clock,
            [this](const Scope& scope, const StripeId& meter) { return look_up_meter(engine, scope, meter); },
            window_of(config)),
        readiness(pool),
        verifier(connections, clock, global_webhook_secrets(config)),
        inbox(std::make_unique<store::InboxWriter>(inbox_writer_config(config, database.server_url), metrics,
                                                   precedence, [this](const Scope& scope) { engine.wake(scope); })),
        usage(std::make_unique<store::UsageWriter>(usage_writer_config(config, database.server_url), metrics)),
        server(server_config(config),
               {verifier, *inbox, queries, catalog, dead_letters, provisioning, authenticator, readiness,
                customer_commands, *usage, usage_queries, meter_commands, metrics, clock}),
        catch_up_interval(config.catch_up.interval_seconds) {}

  static std::chrono::minutes window_of(const Config& config) {
    return std::chrono::minutes(config.usage.window_minutes);
  }

  void start_actors(const Config& config) {
    engine.start(std::make_shared<const actors::Services>(
        actors::Services{*changes, *snapshots, inbox_source, outbox_source, *transport,
                         [this](const Scope& scope, auto reply) { find_key(scope, std::move(reply)); },
                         [this](auto reply) { look_for_work(std::move(reply)); }, clock, metrics, actor_config(config),
                         &ledger, &catch_up_cursors, inbox.get(), &reconcile_source}));
  }

  void find_key(const Scope& scope, std::function<void(Result<Secret>)> reply) {
    connections.find(scope, [reply = std::move(reply)](Result<store::ConnectionCache::Endpoint> endpoint) {
      if (endpoint) {
        reply((*endpoint)->secret_key);
      } else if (endpoint.error().code == ErrorCode::not_found) {
        reply(Secret{});  // no connection: Stripe cannot be asked
      } else {
        reply(tl::unexpected(std::move(endpoint.error())));
      }
    });
  }

  // Nobody knows what was missed while no server ran: the first look finds everyone who is connected.
  Timestamp catch_up_due(Timestamp now) {
    if (catch_up_interval.count() == 0) {
      return {};
    }
    return std::exchange(looked, true) ? now : now + 3 * catch_up_interval;
  }

  // Runs on the node supervisor's ticks, one at a time.
  void look_for_work(std::function<void(Result<std::vector<Scope>>)> reply) {
    const auto now = clock.now();
    inbox_source.tenants_with_work(now, catch_up_due(now), std::move(reply));
    if (now < next_depths) {
      return;
    }
    next_depths = now + kDepthsInterval;
    inbox_source.depths([this](const Result<std::vector<store::StoreInboxSource::Depth>>& depths) {
      if (depths) {
        report_depths(*depths, metrics, clock.now());
      }
    });
    outbox_source.depths([this](const Result<std::vector<store::StoreOutboxSource::Depth>>& depths) {
      if (depths) {
        report_depths(*depths, metrics, clock.now());
      }
    });
  }

  Metrics metrics;
  SystemClock clock;
  Database database;
  store::SecretBox secrets;
  actors::Engine engine;
  store::ReadPool pool;
  store::ReadPool ledger_pool;
  store::Precedence precedence;
  store::StoreInboxSource inbox_source;
  store::StoreOutboxSource outbox_source;
  store::StoreUsageLedger ledger;
  store::StoreCatchUpCursors catch_up_cursors;
  store::StoreReconcileSource reconcile_source;
  std::unique_ptr<store::ChangeWriter> changes;
  std::unique_ptr<store::SnapshotLoader> snapshots;
  std::unique_ptr<stripe::Transport> transport;
  store::ConnectionCache connections;
  store::StoreAuthenticator authenticator;
  store::StoreProvisioning provisioning;
  store::StoreQueries queries;
  store::StoreCatalogQueries catalog;
  store::StoreDeadLetterCommands dead_letters;
  EngineCustomerCommands customer_commands;
  store::StoreUsageQueries usage_queries;
  store::StoreMeterCommands meter_commands;
  DatabaseReadiness readiness;
  StripeWebhookVerifier verifier;
  std::unique_ptr<store::InboxWriter> inbox;
  std::unique_ptr<store::UsageWriter> usage;
  http::Server server;
  const std::chrono::seconds catch_up_interval;
  bool looked = false;
  Timestamp next_depths;
  bool stopped = false;
};

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Runtime::~Runtime() {
  stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Runtime>> Runtime::start(const Config& config,
                                                const std::function<void(const std::string&)>& announce) {
  auto database = open_database(config, false, announce);
  if (!database) {
    return tl::unexpected(database.error());
  }
  auto keys = local_keys(config, announce);
  if (!keys) {
    return tl::unexpected(keys.error());
  }
  std::unique_ptr<Runtime> runtime(
      new Runtime(std::make_unique<Parts>(config, std::move(*database), std::move(*keys))));
  runtime->parts_->start_actors(config);
  if (auto started = runtime->parts_->server.start(); !started) {
    return tl::unexpected(started.error());
  }
  return runtime;
}

std::uint16_t Runtime::port() const {
  return parts_->server.port();
}

std::uint16_t Runtime::admin_port() const {
  return parts_->server.admin_port();
}

void Runtime::stop(std::chrono::milliseconds deadline) {
  auto& parts = *parts_;
  if (std::exchange(parts.stopped, true)) {
    return;
  }
  if (!parts.server.drain(deadline)) {
    log::warn("some requests were still in flight at the deadline");
  }
  parts.server.stop();
  parts.engine.stop();  // its actors use all that follows
  parts.inbox.reset();  // stores what is queued
  parts.usage.reset();
  parts.changes.reset();
  parts.snapshots.reset();
  parts.transport.reset();
}

}  // namespace flexsync::app
