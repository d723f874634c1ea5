#include "store/snapshot_loader.hpp"

#include <pqxx/pqxx>
#include <thread>
#include <vector>

#include "store/array.hpp"
#include "store/group_queue.hpp"
#include "store/rows.hpp"
#include "store/session.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace {

struct Waiting {
  SnapshotRequest request;
  std::function<void(Result<StoredCustomer>)> reply;
};

const std::string kFrom =
    " FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY "
    "AS wanted(wanted_tenant, wanted_environment, wanted_id, ordinal) ";

const std::string kCustomers = "SELECT ordinal, " + std::string(kCustomerColumns) + kFrom + R"(
  JOIN customers ON tenant_id = wanted_tenant AND environment_id = wanted_environment AND id = wanted_id)";

const std::string kMappings = "SELECT ordinal, " + std::string(kMappingColumns) + kFrom + R"(
  JOIN entity_integration_mappings ON tenant_id = wanted_tenant AND environment_id = wanted_environment
    AND entity_type = 'customer' AND entity_id = wanted_id AND provider_type = 'stripe' AND status = 'published')";

const std::string kStripeObjects = "SELECT ordinal, " + std::string(kStripeObjectColumns) + kFrom + R"(
  JOIN stripe_objects ON tenant_id = wanted_tenant AND environment_id = wanted_environment
    AND object_type = 'customer' AND stripe_id = wanted_id)";

const std::string kIntents = "SELECT ordinal, " + std::string(kIntentColumns) + kFrom + R"(
  JOIN outbox ON tenant_id = wanted_tenant AND environment_id = wanted_environment
    AND entity_type = 'customer' AND entity_id = wanted_id AND state = 'ready' ORDER BY seq)";

void prepare(pqxx::connection& connection) {
  {
    // A handful of keys is looked up in tables of any size: by index, whatever the statistics say.
    pqxx::nontransaction tx(connection);
    tx.exec("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off");
  }
  connection.prepare("snapshot_customers", kCustomers);
  connection.prepare("snapshot_mappings", kMappings);
  connection.prepare("snapshot_stripe_objects", kStripeObjects);
  connection.prepare("snapshot_intents", kIntents);
}

std::vector<StoredCustomer> read(pqxx::connection& connection, const std::vector<Waiting>& batch) {
  ArrayLiteral tenants;
  ArrayLiteral environments;
  ArrayLiteral customers;
  for (const auto& [request, reply] : batch) {
    tenants.add(request.scope.tenant.str());
    environments.add(request.scope.environment.str());
    customers.add(request.customer_id.str());
  }
  const auto tenant_array = tenants.take();
  const auto environment_array = environments.take();
  const auto customer_array = customers.take();

  std::vector<StoredCustomer> found(batch.size());
  const auto at = [&found](const pqxx::row& row) -> StoredCustomer& {
    return found.at(row["ordinal"].as<std::size_t>() - 1);
  };
  pqxx::transaction<pqxx::isolation_level::repeatable_read> tx(connection);  // one picture, not four
  for (const auto& row : tx.exec_prepared("snapshot_customers", tenant_array, environment_array, customer_array)) {
    at(row).customer = customer_from_row(row);
  }
  for (const auto& row : tx.exec_prepared("snapshot_mappings", tenant_array, environment_array, customer_array)) {
    at(row).mapping = mapping_from_row(row);
  }
  ArrayLiteral stripe_ids;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& wanted = batch[i].request.stripe_id.str();
    stripe_ids.add(wanted.empty() && found[i].mapping ? found[i].mapping->provider_entity_id : wanted);
  }
  for (const auto& row :
       tx.exec_prepared("snapshot_stripe_objects", tenant_array, environment_array, stripe_ids.take())) {
    at(row).shadow = stripe_object_from_row(row);
  }
  for (const auto& row : tx.exec_prepared("snapshot_intents", tenant_array, environment_array, customer_array)) {
    at(row).intents.push_back(intent_from_row(row));
  }
  return found;
}

}  // namespace

class SnapshotLoader::Impl {
 public:
  Impl(SnapshotLoaderConfig config, Metrics& metrics)
      : config_(std::move(config)),
        queue_(config_.queue_max),
        depth_(metrics.writer_queue("snapshots")),
        reconnects_(metrics.pool_reconnects("snapshots")),
        thread_([this] { serve(); }) {}

  ~Impl() {
    queue_.close();
    thread_.join();
  }

  void load(Waiting waiting) {
    if (!queue_.push(waiting)) {
      waiting.reply(fail(ErrorCode::service_unavailable, "too many snapshots are waiting to be loaded"));
    }
  }

 private:
  void serve() {
    SessionConfig session_config;
    session_config.url = config_.url;
    session_config.role = Role::apply;
    session_config.statement_timeout_ms = config_.statement_timeout_ms;
    Session session(std::move(session_config), prepare);
    while (true) {
      const auto batch = queue_.pop(config_.batch_max);
      if (batch.empty()) {
        return;
      }
      depth_.Set(static_cast<double>(queue_.size()));
      answer(session, batch);
    }
  }

  void answer(Session& session, const std::vector<Waiting>& batch) {
    try {
      auto found = read(session.connection(), batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i].reply(std::move(found[i]));
      }
    } catch (const std::exception& e) {
      log::warn("snapshots could not be loaded", {{"count", batch.size()}, {"error", e.what()}});
      if (breaks_connection(e)) {
        session.drop();
        reconnects_.Increment();
      }
      for (const auto& waiting : batch) {
        waiting.reply(tl::unexpected(to_error(e, "the customer could not be loaded")));
      }
    }
  }

  SnapshotLoaderConfig config_;
  GroupQueue<Waiting> queue_;
  prometheus::Gauge& depth_;
  prometheus::Counter& reconnects_;
  std::thread thread_;  // last: it uses all the others
};

SnapshotLoader::SnapshotLoader(SnapshotLoaderConfig config, Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(config), metrics)) {}

SnapshotLoader::~SnapshotLoader() = default;

void SnapshotLoader::load(SnapshotRequest request, std::function<void(Result<StoredCustomer>)> reply) {
  impl_->load({std::move(request), std::move(reply)});
}

}  // namespace flexsync::store
