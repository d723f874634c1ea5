#include "store/snapshot_statements.hpp"

#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "store/array.hpp"
#include "store/rows_catalog.hpp"
#include "store/session.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kAddonEntity = "addon";

const std::string kFrom =
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY "
    "AS wanted(wanted_tenant, wanted_environment, wanted_type, wanted_id, ordinal) ";

// One look-up by key for each that is wanted (OFFSET 0): as a join, planned while the table was small, it went through
// the whole index and compared each row with each wanted.
std::string found_in(const char* table, std::string_view columns, const char* condition) {
  return "CROSS JOIN LATERAL (SELECT " + std::string(columns) + " FROM " + table +
         " WHERE tenant_id = wanted_tenant AND environment_id = wanted_environment AND " + condition +
         " OFFSET 0) AS found";
}

std::string rows_of(const char* table, std::string_view columns, const char* condition) {
  return "SELECT ordinal, found.*" + kFrom + found_in(table, columns, condition);
}

// The local id of each parent that exists: by the live mapping, else by the shadow, which outlives it.
std::string parents_in(const char* table, const char* entity_type) {
  const std::string own(table);
  const auto existing = " JOIN " + own +
                        " own ON own.tenant_id = wanted_tenant AND own.environment_id ="
                        " wanted_environment AND own.id = ";
  return "SELECT ordinal, coalesce("
         "(SELECT own.id FROM entity_integration_mappings m" +
         existing +
         "m.entity_id"
         " WHERE m.tenant_id = wanted_tenant AND m.environment_id = wanted_environment"
         "   AND m.provider_entity_id = wanted_id AND m.entity_type = '" +
         entity_type +
         "'"
         "   AND m.provider_type = 'stripe' AND m.status = 'published'),"
         "(SELECT own.id FROM stripe_objects s" +
         existing +
         "s.entity_id"
         " WHERE s.tenant_id = wanted_tenant AND s.environment_id = wanted_environment"
         "   AND s.object_type = wanted_type AND s.stripe_id = wanted_id)) AS id" +
         kFrom;
}

struct Read {
  const char* name;
  std::string sql;
};

const Read kCustomers{"snapshot_customers", rows_of("customers", kCustomerColumns, "id = wanted_id")};
const Read kPlans{"snapshot_plans", rows_of("plans", kPlanColumns, "id = wanted_id")};
// The plan that a live mapping of the Stripe id leads to.
const Read kMappedPlans{"snapshot_mapped_plans",
                        "SELECT ordinal, found.*" + kFrom +
                            "CROSS JOIN LATERAL (SELECT m.entity_id AS mapped_id FROM entity_integration_mappings m"
                            "   WHERE m.tenant_id = wanted_tenant AND m.environment_id = wanted_environment"
                            "     AND m.provider_entity_id = wanted_id AND m.entity_type = 'plan'"
                            "     AND m.provider_type = 'stripe' AND m.status = 'published' OFFSET 0) AS mapped " +
                            found_in("plans", kPlanColumns, "id = mapped_id")};
const Read kAddons{"snapshot_addons", rows_of("addons", kAddonColumns, "plan_id = wanted_id")};
const Read kPrices{"snapshot_prices", rows_of("prices", kPriceColumns, "id = wanted_id")};
const Read kSubscriptions{"snapshot_subscriptions", rows_of("subscriptions", kSubscriptionColumns, "id = wanted_id")};
const Read kAttached{"snapshot_attached", rows_of("subscription_addons", kSubscriptionAddonColumns,
                                                  "subscription_id = wanted_id ORDER BY item_id")};
const Read kMappings{"snapshot_mappings", rows_of("entity_integration_mappings", kMappingColumns,
                                                  "entity_type = wanted_type AND entity_id = wanted_id AND"
                                                  " provider_type = 'stripe' AND status = 'published'")};
const Read kStripeObjects{"snapshot_stripe_objects", rows_of("stripe_objects", kStripeObjectColumns,
                                                             "object_type = wanted_type AND stripe_id = wanted_id")};
const Read kIntents{"snapshot_intents", rows_of("outbox", kIntentColumns,
                                                "entity_type = wanted_type AND entity_id = wanted_id AND"
                                                " state = 'ready' ORDER BY seq")};
const Read kParentCustomers{"snapshot_parent_customers", parents_in("customers", "customer")};
const Read kParentPlans{"snapshot_parent_plans", parents_in("plans", "plan")};

// What one statement is to look for, and for whom: nothing wanted, nothing executed.
class Wanted {
 public:
  void add(const SnapshotRequest& request, std::size_t owner, const std::string& type, const std::string& id) {
    tenants_.add(request.scope.tenant.str());
    environments_.add(request.scope.environment.str());
    types_.add(type);
    ids_.add(id);
    owners_.push_back(owner);
  }

  // `take` gets each row found, and the index of whom it is for.
  template <class Take>
  void exec(pqxx::transaction_base& tx, const Read& read, Take take) {
    if (owners_.empty()) {
      return;
    }
    for (const auto& row :
         tx.exec_prepared(read.name, tenants_.take(), environments_.take(), types_.take(), ids_.take())) {
      take(row, owners_.at(row["ordinal"].as<std::size_t>() - 1));
    }
  }

 private:
  ArrayLiteral tenants_;
  ArrayLiteral environments_;
  ArrayLiteral types_;
  ArrayLiteral ids_;
  std::vector<std::size_t> owners_;
};

// One batch, a statement a table.
class BatchRead {
 public:
  BatchRead(pqxx::transaction_base& tx, const std::vector<const SnapshotRequest*>& requests)
      : tx_(tx), requests_(requests), found_(requests.size()) {}

  std::vector<EntitySnapshot> run() {
    read_customers();
    read_plans();
    read_subscriptions();
    read_mappings();
    read_stripe_objects();
    read_intents();
    read_parents(EntityKind::customer, kParentCustomers);
    read_parents(EntityKind::plan, kParentPlans);
    return std::move(found_);
  }

 private:
  // A wanted row for each request for which `add` says so.
  template <class Add>
  Wanted wanted(Add add) const {
    Wanted wanted;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      add(wanted, i, *requests_[i]);
    }
    return wanted;
  }

  Wanted entities(EntityKind kind, bool by_mapping = false) const {
    return wanted([&](Wanted& rows, std::size_t i, const SnapshotRequest& request) {
      if (request.entity.kind == kind && request.by_mapping == by_mapping) {
        rows.add(request, i, "", by_mapping ? request.object.id.str() : request.entity.id);
      }
    });
  }

  void read_customers() {
    entities(EntityKind::customer).exec(tx_, kCustomers, [&](const pqxx::row& row, std::size_t i) {
      found_[i].customer = customer_from_row(row);
    });
  }

  void read_plans() {
    const auto take = [&](const pqxx::row& row, std::size_t i) { found_[i].plan = plan_from_row(row); };
    entities(EntityKind::plan).exec(tx_, kPlans, take);
    entities(EntityKind::plan, /*by_mapping=*/true).exec(tx_, kMappedPlans, take);
    wanted([&](Wanted& rows, std::size_t i, const SnapshotRequest& request) {
      if (found_[i].plan) {
        rows.add(request, i, "", found_[i].plan->id.str());
      }
    }).exec(tx_, kAddons, [&](const pqxx::row& row, std::size_t i) { found_[i].addon = addon_from_row(row); });
    wanted([](Wanted& rows, std::size_t i, const SnapshotRequest& request) {
      if (request.object.type == "price") {
        rows.add(request, i, "", request.object.id.str());
      }
    }).exec(tx_, kPrices, [&](const pqxx::row& row, std::size_t i) { found_[i].price = price_from_row(row); });
  }

  void read_subscriptions() {
    entities(EntityKind::subscription).exec(tx_, kSubscriptions, [&](const pqxx::row& row, std::size_t i) {
      found_[i].subscription = subscription_from_row(row);
    });
    entities(EntityKind::subscription).exec(tx_, kAttached, [&](const pqxx::row& row, std::size_t i) {
      if (found_[i].subscription) {
        found_[i].subscription->terms.addons.push_back(subscription_addon_from_row(row));
      }
    });
  }

  // Whose mapping and intents are wanted: of a plan that was looked for by its mapping, the one that was found.
  std::string entity_id(std::size_t i) const {
    const auto& request = *requests_[i];
    if (request.by_mapping) {
      return found_[i].plan ? found_[i].plan->id.str() : "";
    }
    return request.entity.id;
  }

  void read_mappings() {
    wanted([&](Wanted& rows, std::size_t i, const SnapshotRequest& request) {
      if (const auto id = entity_id(i); !id.empty()) {
        rows.add(request, i, to_string(request.entity.kind), id);
      }
      if (found_[i].addon) {
        rows.add(request, i, kAddonEntity, found_[i].addon->id.str());
      }
    }).exec(tx_, kMappings, [&](const pqxx::row& row, std::size_t i) {
      auto mapping = mapping_from_row(row);
      auto& target = mapping.entity_type == kAddonEntity ? found_[i].addon_mapping : found_[i].mapping;
      target = std::move(mapping);
    });
  }

  ObjectKey object_of(std::size_t i) const {
    const auto& request = *requests_[i];
    if (!request.object.empty() || request.entity.kind == EntityKind::plan || !found_[i].mapping) {
      return request.object;  // which of Stripe's types a plan is mapped to is for the caller to say
    }
    return {to_string(request.entity.kind), StripeId{found_[i].mapping->provider_entity_id}};
  }

  void read_stripe_objects() {
    wanted([&](Wanted& rows, std::size_t i, const SnapshotRequest& request) {
      for (const auto& key : {object_of(i), request.product}) {
        if (!key.empty()) {
          rows.add(request, i, key.type, key.id.str());
        }
      }
    }).exec(tx_, kStripeObjects, [&](const pqxx::row& row, std::size_t i) {
      auto object = stripe_object_from_row(row);
      const auto& product = requests_[i]->product;
      const bool is_product = object.object_type == product.type && object.stripe_id == product.id;
      (is_product ? found_[i].product : found_[i].shadow) = std::move(object);
    });
  }

  void read_intents() {
    wanted([&](Wanted& rows, std::size_t i, const SnapshotRequest& request) {
      if (const auto id = entity_id(i); !id.empty()) {
        rows.add(request, i, to_string(request.entity.kind), id);
      }
    }).exec(tx_, kIntents, [&](const pqxx::row& row, std::size_t i) {
      found_[i].intents.push_back(intent_from_row(row));
    });
  }

  void read_parents(EntityKind kind, const Read& statement) {
    std::vector<std::pair<std::size_t, const ObjectKey*>> asked;
    Wanted rows;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      for (const auto& key : requests_[i]->parents) {
        if (kind_of(key.type) == kind) {
          rows.add(*requests_[i], asked.size(), key.type, key.id.str());
          asked.emplace_back(i, &key);
        }
      }
    }
    rows.exec(tx_, statement, [&](const pqxx::row& row, std::size_t n) {
      if (!row["id"].is_null()) {
        found_[asked[n].first].parents.emplace(*asked[n].second, text_from(row["id"]));
      }
    });
  }

  pqxx::transaction_base& tx_;
  const std::vector<const SnapshotRequest*>& requests_;
  std::vector<EntitySnapshot> found_;
};

}  // namespace

void prepare_snapshot_statements(pqxx::connection& connection) {
  look_up_by_index(connection);
  for (const auto* read : {&kCustomers, &kPlans, &kMappedPlans, &kAddons, &kPrices, &kSubscriptions, &kAttached,
                           &kMappings, &kStripeObjects, &kIntents, &kParentCustomers, &kParentPlans}) {
    connection.prepare(read->name, read->sql);
  }
}

std::vector<EntitySnapshot> read_snapshots(pqxx::transaction_base& tx,
                                           const std::vector<const SnapshotRequest*>& requests) {
  return BatchRead(tx, requests).run();
}

}  // namespace flexsync::store
