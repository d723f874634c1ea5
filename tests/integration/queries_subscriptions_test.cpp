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

  // Subscription `n` of customer `n` to plan `n`, made `n` seconds after the start.
  void add(int n, SubscriptionStatus status) {
    const auto name = std::to_string(n);
    auto change = subscription(name);
    change.subscription->created_at = kStart + std::chrono::seconds(n);
    change.subscription->terms.subscription_status = status;
    change.subscription->terms.current_period_end = kStart - std::chrono::seconds(n);
    REQUIRE(result(creation(name)) == ChangeResult::committed);
    REQUIRE(result(product(name)) == ChangeResult::committed);
    REQUIRE(result(change) == ChangeResult::committed);
  }

  Ids ids(const SubscriptionFilter& filter) {
    const auto page = queries.subscriptions(scope, filter);
    REQUIRE(page);
    Ids found;
    std::transform(page->items.begin(), page->items.end(), std::back_inserter(found),
                   [](const auto& item) { return item.id.str(); });
    return found;
  }
};

}  // namespace

TEST_CASE("subscriptions come back as they were stored, with their addons", "[queries]") {
  World world;
  world.subscribe("1");
  world.subscribe("2");
  const auto first = *world.subscription("1").subscription;
  const auto second = *world.subscription("2").subscription;
  CHECK(world.queries.subscription(world.scope, first.id).value() == first);
  const auto page = world.queries.subscriptions(world.scope, {});
  REQUIRE(page);
  CHECK(page->items == std::vector<Subscription>{second, first});
  CHECK(page->total == 2);

  const auto stranger = world.new_scope("Stranger");
  CHECK(world.queries.subscriptions(stranger, {})->items.empty());
  for (const auto* id : {"subs_9", "", "\xFF"}) {
    CHECK(world.queries.subscription(world.scope, SubscriptionId{id}).error().code == ErrorCode::not_found);
  }
  CHECK_FALSE(world.queries.subscription(stranger, first.id));
  world.sql("UPDATE subscriptions SET status = 'deleted' WHERE id = 'subs_1'");
  CHECK_FALSE(world.queries.subscription(world.scope, first.id));
}

TEST_CASE("a list of subscriptions is paged, filtered, sorted and counted", "[queries]") {
  World world;
  using S = SubscriptionStatus;
  const std::vector<S> statuses = {S::active, S::past_due, S::cancelled, S::active};
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    world.add(static_cast<int>(i), statuses[i]);
  }
  SubscriptionFilter filter;
  CHECK(world.ids(filter) == Ids{"subs_3", "subs_2", "subs_1", "subs_0"});
  filter.list.limit = 2;
  filter.list.offset = 1;
  CHECK(world.ids(filter) == Ids{"subs_2", "subs_1"});
  CHECK(world.queries.subscriptions(world.scope, filter)->total == 4);
  filter = {};
  filter.list.ascending = true;
  filter.list.start_time = kStart + 1s;
  filter.list.end_time = kStart + 3s;
  CHECK(world.ids(filter) == Ids{"subs_1", "subs_2"});
  filter = {};
  filter.subscription_status = {S::active, S::cancelled};
  CHECK(world.ids(filter) == Ids{"subs_3", "subs_2", "subs_0"});
  filter.customer_id = "cust_3";
  CHECK(world.ids(filter) == Ids{"subs_3"});
  filter.plan_id = "plan_2";
  CHECK(world.ids(filter).empty());
  filter = {};
  filter.external_customer_id = "ext_2";
  CHECK(world.ids(filter) == Ids{"subs_2"});
  filter.external_customer_id = "ext_nobody";
  CHECK(world.ids(filter).empty());
  filter = {};
  filter.ids = {"subs_0", "subs_1", "subs_x"};
  filter.order = {{SubscriptionField::current_period_end, true}};
  CHECK(world.ids(filter) == Ids{"subs_1", "subs_0"});
  filter = {};
  filter.order = {{SubscriptionField::subscription_status, true}, {SubscriptionField::plan_id, false}};
  CHECK(world.ids(filter) == Ids{"subs_3", "subs_0", "subs_2", "subs_1"});
  filter = {};
  filter.status = Status::deleted;
  CHECK(world.ids(filter).empty());
  filter.plan_id = "\xFF";
  CHECK(world.queries.subscriptions(world.scope, filter).error().code == ErrorCode::validation_error);
}
