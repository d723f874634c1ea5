// The store in memory says of plans, prices, subscriptions and parked events what the database says: random change
// sets go to both. FLEXSYNC_SEED=<seed> repeats a failure.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "integration/catalog_world.hpp"
#include "support/store_model.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;

namespace {

constexpr int kNames = 4;

struct World : testing::CatalogWorld {
  explicit World(std::uint32_t seed) : random(seed) { model_epoch = model.take_ownership(scope).epoch; }

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random); }
  bool one_in(int n) { return pick(n) == 0; }
  std::string name() { return std::to_string(pick(kNames)); }

  template <class Row>
  static std::int64_t next(const Row* known) {
    return known == nullptr ? 1 : known->version + 1;
  }

  void step() {
    switch (pick(6)) {
      case 0:
        return submit_both(some_customer(name()));
      case 1:
        return submit_both(some_product(name()));
      case 2:
        return submit_both(some_price(name()));
      case 3:
        return submit_both(some_subscription(name()));
      case 4:
        return park_both("customer.subscription.created", {"subscription", StripeId{"sub_" + name()}}, true);
      default:
        return one_in(2) ? park_both("product.updated", {"product", StripeId{"prod_" + name()}}, false)
                         : park_both("price.updated", {"price", StripeId{"price_" + name()}}, false);
    }
  }

  // Every row follows the one before, but for one change in eight.
  ChangeSet ageing(ChangeSet change) {
    if (change.mapping) {
      change.mapping->status = one_in(4) ? Status::deleted : Status::published;
    }
    auto& object = *change.stripe_object;
    object.version = next(model.object(scope, object.stripe_id));
    object.true_during = {kStart + (one_in(2) ? 1h : -1h), kStart + 1h};
    if (one_in(8)) {
      object.version += one_in(2) ? 1 : -1;
    }
    return change;
  }

  ChangeSet some_customer(const std::string& n) {
    auto change = creation(n, 0);
    change.settlement.reset();
    change.customer->version = next(model.customer(scope, change.customer->id));
    return ageing(change);
  }

  ChangeSet some_product(const std::string& n) {
    auto change = product(n);
    change.plan->version = next(model.plan(scope, change.plan->id));
    change.addon->version = next(model.twin(scope, change.plan->id));
    change.addon->lookup_key = "key_" + (one_in(4) ? name() : n);
    change.addon->status = change.plan->status = one_in(4) ? Status::deleted : Status::published;
    change = ageing(change);
    change.addon_mapping->status = change.mapping->status;
    return change;
  }

  ChangeSet some_price(const std::string& n) {
    auto change = price(n);
    change.price->version = next(model.price(scope, change.price->id));
    change.price->plan_id = PlanId{"plan_" + name()};
    if (const StripeId of{"prod_" + n}; model.object(scope, of) == nullptr) {
      change.product = shadow("product", of.str(), "plan_" + n);
    }
    return ageing(change);
  }

  ChangeSet some_subscription(const std::string& n) {
    auto change = subscription(n);
    auto& row = *change.subscription;
    row.version = next(model.subscription(scope, row.id));
    row.terms.customer_id = CustomerId{"cust_" + name()};
    row.terms.plan_id = PlanId{"plan_" + name()};
    row.terms.addons.clear();
    for (int i = pick(3); i > 0; --i) {
      row.terms.addons.insert(row.terms.addons.begin(), attached("si_" + std::to_string(i), name()));
    }
    return ageing(change);
  }

  void submit_both(ChangeSet change) {
    const auto result = submit({change}).front().result;
    change.epoch = model_epoch;
    REQUIRE(static_cast<int>(result) == static_cast<int>(model.apply(change).result));
    ++results[result];
  }

  void park_both(const std::string& type, const ObjectKey& object, bool is_blocked) {
    const auto event = "evt_parked_" + std::to_string(events.size());
    auto change = empty_change();
    const auto row_object = object.type == "price" ? "prod_1" : object.id.str();
    auto seq = store_event(scope, event, type, row_object);
    change.settlement = InboxSettlement{seq, StripeEventId{event}, InboxOutcome::parked, "", false, kStart};
    change.parked = ParkedEvent{is_blocked ? ParkedState::blocked : ParkedState::dead, 1, kStart + 1h, "code", "why"};
    change.parked->object = object;
    if (is_blocked) {
      change.parked->blocked_on = one_in(2) ? ObjectKey{"customer", StripeId{"cus_" + name()}}
                                            : ObjectKey{"product", StripeId{"prod_" + name()}};
    }
    REQUIRE(result(change) == ChangeResult::committed);
    const auto payload = R"({"created":)" + std::to_string(to_unix_seconds(kStart)) + R"(,"data":{"object":{"id":")" +
                         object.id.str() + R"("}}})";
    seq = model.deliver(scope, event, type, row_object, payload, kStart).value();
    change.settlement->seq = seq;
    change.epoch = model_epoch;
    REQUIRE(model.apply(change).result == ChangeResult::committed);
    events.emplace_back(event, seq);
  }

  void compare_snapshots() {
    std::vector<ObjectKey> parents;
    for (int i = 0; i < kNames; ++i) {
      const auto n = std::to_string(i);
      parents.push_back({"customer", StripeId{"cus_" + n}});
      parents.push_back({"product", StripeId{"prod_" + n}});
      parents.push_back({"price", StripeId{"price_" + n}});
    }
    std::vector<store::SnapshotRequest> requests;
    for (int i = 0; i < kNames; ++i) {
      const auto n = std::to_string(i);
      requests.push_back({scope, {EntityKind::customer, "cust_" + n}, {}});
      requests.push_back({scope, {EntityKind::subscription, "subs_" + n}, {}, {}, parents});
      requests.push_back({scope, {EntityKind::plan, "plan_" + n}, parents[3 * i + 2], parents[3 * i + 1]});
      requests.push_back({scope, {EntityKind::plan, "plan_x"}, parents[3 * i + 1], {}, {}, true});
    }
    const auto stored = load_all(requests);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      CAPTURE(i);
      CHECK((stored[i] == model.load(requests[i])));
    }
  }

  void compare_parked() {
    std::promise<std::vector<store::InboxRow>> promise;
    store::StoreInboxSource(pool).read_due(scope, kStart, 1000, [&](auto rows) { promise.set_value(*rows); });
    CHECK(ids(promise.get_future().get()) == ids(model.due(scope, kStart, 1000)));
    for (const auto& [event, seq] : events) {
      CAPTURE(event);
      CHECK(value("SELECT outcome FROM inbox_outcomes JOIN inbox USING (tenant_id, environment_id, seq) WHERE "
                  "event_id = '" +
                  event + "'") == to_string(model.row(seq).settlement->outcome));
    }
  }

  static std::vector<std::string> ids(const std::vector<store::InboxRow>& rows) {
    std::vector<std::string> found;
    for (const auto& row : rows) {
      found.push_back(row.event_id.str());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  std::mt19937 random;
  test::StoreModel model;
  std::int64_t model_epoch = 0;
  std::vector<std::pair<std::string, std::int64_t>> events;
  std::map<ChangeResult, int> results;
};

}  // namespace

TEST_CASE("the catalog of the store in memory behaves as the database's", "[store_model]") {
  const auto* repeated = std::getenv("FLEXSYNC_SEED");
  const auto seed =
      repeated != nullptr ? static_cast<std::uint32_t>(std::strtoul(repeated, nullptr, 10)) : std::random_device{}();
  CAPTURE(seed);
  World world(seed);
  for (int i = 0; i < 120; ++i) {
    world.step();
    if (i % 30 == 29) {
      world.compare_snapshots();
      world.compare_parked();
    }
  }
  CHECK(world.results[ChangeResult::committed] > 20);
}
