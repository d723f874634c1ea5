#include "store/change_statements.hpp"

#include <algorithm>

#include "store/change_batch.hpp"
#include "store/session.hpp"
#include "telemetry/failpoint.hpp"

namespace flexsync::store {

using namespace changes;

namespace {

// A supervisor that starts takes this lock exclusively to raise the epoch: no change set of the old epoch is then
// between its check and its commit.
constexpr Statement kLockOwners{"lock_owners", R"(
  SELECT pg_advisory_xact_lock_shared(hashtextextended(tenant || '/' || environment, 0))
  FROM unnest($1::text[], $2::text[]) AS row(tenant, environment))"};

constexpr Statement kReadEpochs{"read_epochs", R"(
  SELECT tenant_id, environment_id, epoch FROM tenant_owner
  WHERE (tenant_id, environment_id) IN (SELECT * FROM unnest($1::text[], $2::text[])))"};

std::map<Scope, std::int64_t> read_epochs(pqxx::transaction_base& tx, const Batch& batch) {
  std::set<Scope> scopes;
  for (const auto* change : batch) {
    scopes.insert(change->scope);
  }
  Table<2> lock;
  Table<2> read;
  for (const auto& scope : scopes) {
    lock.row(scope.tenant.str(), scope.environment.str());
    read.row(scope.tenant.str(), scope.environment.str());
  }
  lock.exec(tx, kLockOwners);
  std::map<Scope, std::int64_t> epochs;
  for (const auto& row : read.exec(tx, kReadEpochs)) {
    epochs[{TenantId{row[0].c_str()}, EnvironmentId{row[1].c_str()}}] = row[2].as<std::int64_t>();
  }
  return epochs;
}

// Everybody whose epoch is no longer the owner's.
std::vector<bool> replaced(pqxx::transaction_base& tx, const Batch& batch) {
  const auto epochs = read_epochs(tx, batch);
  std::vector<bool> stale;
  for (const auto* change : batch) {
    const auto epoch = epochs.find(change->scope);
    stale.push_back(epoch == epochs.end() || epoch->second != change->epoch);
  }
  return stale;
}

// What the statements have written of all that the batch holds.
struct Effects {
  Written settled;
  Written customers;
  Written plans;
  Written addons;
  Written prices;
  Written subscriptions;
  Written stripe_objects;
  IntentSeqs new_intents;
  Written intents;
};

Effects write(pqxx::transaction_base& tx, const Batch& batch) {
  Effects effects;
  effects.settled = settle(tx, batch);
  FLEXSYNC_FAILPOINT("changes.mid_transaction");
  effects.customers = write_customers(tx, batch);
  effects.plans = write_plans(tx, batch);
  effects.addons = write_addons(tx, batch);
  effects.prices = write_prices(tx, batch);
  effects.subscriptions = write_subscriptions(tx, batch);
  write_mappings(tx, batch);
  wake_blocked(tx, batch);
  effects.stripe_objects = write_stripe_objects(tx, batch);
  supersede(tx, batch);
  effects.intents = update_intents(tx, batch);
  effects.new_intents = insert_intents(tx, batch);
  write_audit(tx, batch);
  park(tx, batch);
  return effects;
}

bool is_stale(const ChangeSet& change, const Effects& effects) {
  const auto lost = [&](const auto& row, const Written& written) {
    return row && !contains(written, change.scope, row->id.str());
  };
  const auto lost_object = [&](const std::optional<StripeObject>& object) {
    return object &&
           !contains(effects.stripe_objects, change.scope, object->object_type + "/" + object->stripe_id.str());
  };
  if (lost(change.customer, effects.customers) || lost(change.plan, effects.plans) ||
      lost(change.addon, effects.addons) || lost(change.price, effects.prices) ||
      lost(change.subscription, effects.subscriptions) || lost_object(change.stripe_object) ||
      lost_object(change.product)) {
    return true;
  }
  return std::any_of(change.intents.begin(), change.intents.end(), [&](const auto& intent) {
    return !contains(effects.intents, change.scope, std::to_string(intent.seq));
  });
}

ChangeReply verdict(const ChangeSet& change, const Effects& effects) {
  if (change.settlement && !contains(effects.settled, change.scope, std::to_string(change.settlement->seq))) {
    return {ChangeResult::already_settled, {}};
  }
  if (is_stale(change, effects)) {
    return {ChangeResult::stale_version, {}};
  }
  ChangeReply reply;
  for (const auto& intent : change.new_intents) {
    const auto seq =
        effects.new_intents.find({change.scope.tenant.str(), change.scope.environment.str(), intent.id.str()});
    if (seq == effects.new_intents.end()) {
      return {ChangeResult::stale_version, {}};  // it is stored already: an earlier commit whose answer was lost
    }
    reply.intent_seqs.push_back(seq->second);
  }
  return reply;
}

}  // namespace

void prepare_change_statements(pqxx::connection& connection) {
  look_up_by_index(connection);
  prepare(connection, std::array{kLockOwners, kReadEpochs});
  prepare_inbox(connection);
  prepare_parked(connection);
  prepare_entities(connection);
  prepare_catalog(connection);
  prepare_outbox(connection);
}

std::vector<ChangeReply> apply_changes(pqxx::transaction_base& tx, const Batch& batch) {
  std::vector<ChangeReply> replies(batch.size());
  lock_parents(tx, batch);
  const auto stale = replaced(tx, batch);
  if (std::find(stale.begin(), stale.end(), true) != stale.end()) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      replies[i].result = stale[i] ? ChangeResult::stale_epoch : ChangeResult::committed;
    }
    return replies;
  }
  const auto effects = write(tx, batch);
  std::transform(batch.begin(), batch.end(), replies.begin(),
                 [&](const auto* change) { return verdict(*change, effects); });
  return replies;
}

}  // namespace flexsync::store
