#include <algorithm>
#include <catch2/catch.hpp>

#include "integration/catalog_world.hpp"
#include "store/catalog_queries.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;

namespace {

using Ids = std::vector<std::string>;

struct World : testing::CatalogWorld {
  store::StoreCatalogQueries queries{pool};

  // Plan and addon `n`, made `age` after the start.
  void add(const std::string& n, std::chrono::seconds age, Status status = Status::published) {
    auto change = product(n);
    change.plan->status = change.addon->status = status;
    change.plan->created_at = change.addon->created_at = kStart + age;
    change.plan->fields.name = change.addon->fields.name =
        "Plan " + std::string(1, static_cast<char>('z' - age.count()));
    REQUIRE(result(change) == ChangeResult::committed);
  }

  void erase(const std::string& n) {
    sql("UPDATE plans SET status = 'deleted' WHERE id = 'plan_" + n + "'");
    sql("UPDATE addons SET status = 'deleted' WHERE id = 'addon_" + n + "'");
  }
};

template <class T>
Ids ids(const Result<Page<T>>& page) {
  REQUIRE(page);
  Ids found;
  std::transform(page->items.begin(), page->items.end(), std::back_inserter(found),
                 [](const auto& item) { return item.id.str(); });
  return found;
}

}  // namespace

TEST_CASE("a plan, its addon and its prices come back as they were stored", "[queries]") {
  World world;
  const auto change = world.product("1");
  REQUIRE(world.result(change) == ChangeResult::committed);
  CHECK(world.queries.plan(world.scope, PlanId{"plan_1"}).value() == *change.plan);
  CHECK(world.queries.addon(world.scope, AddonId{"addon_1"}).value() == *change.addon);
  CHECK(world.queries.addon_by_lookup_key(world.scope, "key_1").value() == *change.addon);

  auto price = world.price("1");
  auto archived = world.price("2");
  archived.price->plan_id = PlanId{"plan_1"};
  archived.price->status = Status::archived;
  archived.price->created_at = kStart + 1s;
  auto gone = world.price("3");
  gone.price->plan_id = PlanId{"plan_1"};
  gone.price->status = Status::deleted;
  for (const auto& reply : world.submit({price, archived, gone, world.price("4")})) {
    REQUIRE(reply.result == ChangeResult::committed);
  }
  CHECK(world.queries.prices(world.scope, {PlanId{"plan_1"}, PlanId{"plan_9"}}).value() ==
        std::vector<Price>{*archived.price, *price.price});
  CHECK(world.queries.prices(world.scope, {}).value().empty());
}

TEST_CASE("lists of plans and addons are paged, filtered, sorted and counted", "[queries]") {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.add(std::to_string(i), i * 1s, i == 3 ? Status::archived : Status::published);
  }
  world.add("gone", 9s, Status::deleted);
  const auto both = [&](const PlanFilter& filter) {
    const auto plans = ids(world.queries.plans(world.scope, filter));
    auto addons = ids(world.queries.addons(world.scope, filter));
    for (auto& id : addons) {
      id.replace(0, 5, "plan");
    }
    if (filter.ids.empty()) {
      CHECK(addons == plans);
    }
    return plans;
  };
  PlanFilter filter;
  CHECK(both(filter) == Ids{"plan_4", "plan_3", "plan_2", "plan_1", "plan_0"});
  filter.list.limit = 2;
  filter.list.offset = 1;
  CHECK(both(filter) == Ids{"plan_3", "plan_2"});
  CHECK(world.queries.plans(world.scope, filter)->total == 5);
  filter = {};
  filter.list.ascending = true;
  filter.list.start_time = kStart + 1s;
  filter.list.end_time = kStart + 3s;
  CHECK(both(filter) == Ids{"plan_1", "plan_2"});
  filter = {};
  filter.status = Status::archived;
  CHECK(both(filter) == Ids{"plan_3"});
  filter.status = Status::deleted;
  CHECK(both(filter) == Ids{"plan_gone"});
  filter = {};
  filter.lookup_key = "key_2";
  CHECK(both(filter) == Ids{"plan_2"});
  filter = {};
  filter.ids = {"plan_1", "plan_4", "plan_gone", "plan_{\"x"};
  CHECK(both(filter) == Ids{"plan_4", "plan_1"});
  filter = {};
  filter.order = {{PlanField::status, true}, {PlanField::name, true}};
  CHECK(both(filter) == Ids{"plan_3", "plan_4", "plan_2", "plan_1", "plan_0"});
  filter.lookup_key = std::string("\0", 1);
  CHECK(world.queries.plans(world.scope, filter).error().code == ErrorCode::validation_error);
}

TEST_CASE("plans are found in their own scope only, and not when deleted", "[queries]") {
  World world;
  world.add("1", 0s);
  world.add("gone", 1s, Status::deleted);
  const auto stranger = world.new_scope("Stranger");
  CHECK(ids(world.queries.plans(stranger, {})).empty());
  CHECK_FALSE(world.queries.plan(stranger, PlanId{"plan_1"}));
  CHECK_FALSE(world.queries.addon(stranger, AddonId{"addon_1"}));
  for (const auto* id : {"plan_gone", "plan_9", "", "\xFF", "plan'; DROP TABLE plans; --"}) {
    CHECK(world.queries.plan(world.scope, PlanId{id}).error().code == ErrorCode::not_found);
    CHECK(world.queries.addon(world.scope, AddonId{id}).error().code == ErrorCode::not_found);
    CHECK(world.queries.addon_by_lookup_key(world.scope, id).error().code == ErrorCode::not_found);
  }
}

TEST_CASE("a deleted plan or addon is shown as archived while a live subscription uses it", "[queries]") {
  World world;
  world.subscribe("1");  // to plan_1, with addon_1
  REQUIRE(world.result(world.product("2")) == ChangeResult::committed);
  world.erase("1");
  world.erase("2");
  CHECK(world.queries.plan(world.scope, PlanId{"plan_1"})->status == Status::archived);
  CHECK(world.queries.addon(world.scope, AddonId{"addon_1"})->status == Status::archived);
  CHECK(world.queries.addon_by_lookup_key(world.scope, "key_1")->id.str() == "addon_1");
  CHECK(ids(world.queries.plans(world.scope, {})) == Ids{"plan_1"});
  CHECK(ids(world.queries.addons(world.scope, {})) == Ids{"addon_1"});
  PlanFilter filter;
  filter.status = Status::deleted;
  CHECK(ids(world.queries.plans(world.scope, filter)) == Ids{"plan_2"});

  auto heir = world.product("3");  // the key is free again
  heir.addon->lookup_key = "key_1";
  REQUIRE(world.result(heir) == ChangeResult::committed);
  CHECK(world.queries.addon_by_lookup_key(world.scope, "key_1")->id.str() == "addon_3");

  world.sql("UPDATE subscriptions SET subscription_status = 'cancelled'");
  CHECK_FALSE(world.queries.plan(world.scope, PlanId{"plan_1"}));
  CHECK_FALSE(world.queries.addon(world.scope, AddonId{"addon_1"}));
}
