// The promise for products, prices and subscriptions: whatever the order in which Stripe's events arrive, and however
// often, both sides end in one state. (Customers, which also change on our side: customer_order_test.cpp.)
//
// Random histories of up to six events of one object are delivered in every permutation, depth first: the world is
// copied at each branch. A failure prints the seed and the history; FLEXSYNC_SEED=<seed> runs that history alone,
// FLEXSYNC_EVENTS=7 makes the longest seven events long: 5,040 orders.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <random>
#include <utility>

#include "support/object_history.hpp"
#include "support/store_model.hpp"
#include "sync/event.hpp"
#include "sync/subscription.hpp"
#include "sync/subscription_items.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace flexsync::test;

namespace {

const Scope kOwner{TenantId("tenant_1"), EnvironmentId("env_1")};

// Can Stripe be asked?
enum class Asking { always, sometimes, never };

struct Case {
  std::function<ObjectHistory(std::mt19937_64&, int)> history;
  std::function<void(const StoreModel&, const ObjectHistory&)> check;  // beside the shadow
  Settings settings;
  Asking asking = Asking::always;
  bool interleaved = false;  // events arrive while the operations still go on
};

class World {
 public:
  World(const ObjectHistory& history, const Case& c, std::uint64_t seed)
      : history_(&history), case_(&c), random_(static_cast<std::minstd_rand::result_type>(seed + 1)) {
    store_.take_ownership(kOwner);
    put_parents();
    happened_ = c.interleaved ? 0 : history.operations.size() - 1;
    now_ = history.operations[happened_].second + pick(3);
  }

  void deliver(std::size_t index) {
    order_ += " " + std::to_string(index);
    if (index > happened_) {
      happened_ = index;
      now_ = std::max(now_, operation(index).second);
    }
    pass_some_time();
    const auto& event = operation(index).event;
    const auto again = [&] {
      return store_.deliver(kOwner, event.id.str(), event.type, history_->object.id.str(), "", Timestamp{});
    };
    const auto seq = again();
    REQUIRE(seq.has_value());
    queue_.push_back(*seq);
    if (pick(4) != 0) {  // else it waits for the next one: the actor is busy
      handle_queue();
    }
    if (pick(3) == 0) {  // Stripe sends it once more: the inbox knows it
      CHECK_FALSE(again().has_value());
    }
    if (queue_.empty() && pick(3) == 0) {  // an actor that died before it could say so: decided once more
      handle(static_cast<std::int64_t>(pick(static_cast<int>(*seq))) + 1, false, ChangeResult::already_settled);
    }
  }

  // In order; what waits while Stripe is asked is older than its answer.
  void handle_queue() {
    bool before_fetch = false;
    for (const auto seq : std::exchange(queue_, {})) {
      before_fetch = handle(seq, before_fetch, ChangeResult::committed) || before_fetch;
    }
  }

  void check_end() const {
    INFO("order of arrival:" << order_);
    const auto& last = history_->operations.back().event.state;
    const auto* shadow = store_.object(kOwner, history_->object.id);
    REQUIRE(shadow != nullptr);
    CHECK(shadow->deleted == stripe::is_deleted(last));
    const bool equal = shadow->state == stripe::to_canonical(last);
    if (case_->asking == Asking::always || equal) {
      CHECK(equal);
      case_->check(store_, *history_);
    }
    CHECK((equal || shadow->needs_reconcile));  // never wrong and unmarked
  }

 private:
  int pick(int choices) { return std::uniform_int_distribution<int>(0, choices - 1)(random_); }
  const ObjectOperation& operation(std::size_t index) const { return history_->operations.at(index); }

  void put_parents() {
    Customer customer;
    customer.id = CustomerId("cust_1");
    customer.external_id = "ext_1";
    customer.version = 1;
    store_.put(kOwner, customer);
    put_mapping("customer", "cust_1", "cus_1");
    for (const std::string name : {"a", "b", "c", "d"}) {
      Plan plan;
      plan.id = PlanId("plan_" + name);
      plan.version = 1;
      store_.put(kOwner, plan);
      Addon addon;
      addon.id = AddonId("addon_" + name);
      addon.plan_id = plan.id;
      addon.lookup_key = "prod_" + name;
      addon.version = 1;
      store_.put(kOwner, addon);
      put_mapping("plan", plan.id.str(), "prod_" + name);
    }
  }

  void put_mapping(const std::string& type, const std::string& entity, const std::string& stripe_id) {
    Mapping mapping;
    mapping.id = MappingId("eim_" + stripe_id);
    mapping.entity_type = type;
    mapping.entity_id = entity;
    mapping.provider_type = "stripe";
    mapping.provider_entity_id = stripe_id;
    store_.put(kOwner, mapping);
  }

  // Up to the second of the next operation: it has not happened yet, but may in this very second.
  void pass_some_time() {
    const bool more = happened_ + 1 < history_->operations.size();
    now_ = std::min(more ? operation(happened_ + 1).second : now_ + 2, now_ + pick(2));
  }

  const stripe::ObjectEvent& event_of(std::int64_t seq) const {
    const auto& id = store_.row(seq).row.event_id;
    return std::find_if(history_->operations.begin(), history_->operations.end(),
                        [&](const auto& candidate) { return candidate.event.id == id; })
        ->event;
  }

  EntitySnapshot load(const stripe::ObjectEvent& event) const {
    store::SnapshotRequest request{kOwner, history_->entity, history_->object, {}, {}, false};
    if (const auto* price = std::get_if<stripe::PriceState>(&event.state)) {
      request.product = {"product", price->product};
      request.by_mapping = case_->settings.plan_source == PlanSource::price;
    }
    for (const std::string name : {"a", "b", "c", "d"}) {
      request.parents.push_back({"product", StripeId("prod_" + name)});
    }
    request.parents.push_back({"customer", StripeId("cus_1")});
    return store_.load(request);
  }

  bool stripe_answers() {
    return case_->asking == Asking::always || (case_->asking == Asking::sometimes && pick(2) == 0);
  }

  Decision ask(const EventTask& task, const EntitySnapshot& snapshot, bool answered) {
    if (!answered) {
      return decide_unanswered(task, snapshot, case_->settings, "no answer");
    }
    const auto now = from_unix_seconds(now_);
    const std::chrono::seconds duration{pick(2)};
    return decide_fetched(task, snapshot, case_->settings,
                          {operation(happened_).answer, {now - duration - std::chrono::seconds{1}, now}});
  }

  // True when Stripe was asked and answered.
  bool handle(std::int64_t seq, bool before_fetch, ChangeResult expected) {
    const auto& event = event_of(seq);
    const auto snapshot = load(event);
    const EventTask task{kOwner, store_.epoch(kOwner),    history_->entity, event, seq, false,
                         "req",  from_unix_seconds(now_), before_fetch};
    auto decision = decide(task, snapshot, case_->settings);
    bool answered = false;
    if (std::holds_alternative<Refetch>(decision)) {
      answered = stripe_answers();
      decision = ask(task, snapshot, answered);
    }
    const auto* change = std::get_if<ChangeSet>(&decision);
    REQUIRE(change != nullptr);
    REQUIRE(store_.apply(*change).result == expected);
    return answered;
  }

  const ObjectHistory* history_;
  const Case* case_;
  std::minstd_rand random_;
  StoreModel store_;
  std::size_t happened_ = 0;  // the last operation that has happened
  std::int64_t now_ = 0;
  std::vector<std::int64_t> queue_;  // arrived, not yet handled
  std::string order_;
};

// Delivers what is left in every order; returns the number of orders tried.
int deliver_rest(const World& world, const std::vector<std::size_t>& left) {
  if (left.empty()) {
    auto end = world;
    end.handle_queue();
    end.check_end();
    return 1;
  }
  int orders = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    auto branch = world;
    branch.deliver(left[i]);
    auto rest = left;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    orders += deliver_rest(branch, rest);
  }
  return orders;
}

int longest_history() {
  const char* wanted = std::getenv("FLEXSYNC_EVENTS");
  return wanted != nullptr ? std::stoi(wanted) : 6;
}

// Two of three histories are short, so that many are tried; the third is as long as can be.
void try_all_orders(const Case& c, std::uint64_t histories) {
  const char* wanted = std::getenv("FLEXSYNC_SEED");
  const auto first = wanted != nullptr ? std::stoull(wanted) : 1;
  for (auto seed = first; seed < first + (wanted != nullptr ? 1 : histories); ++seed) {
    std::mt19937_64 random(seed);
    const auto history = c.history(random, seed % 3 == 0 ? longest_history() : 1 + static_cast<int>(seed % 4));
    INFO("FLEXSYNC_SEED=" << seed << " refetch=" << (c.settings.ordering == Ordering::refetch)
                          << " asking=" << static_cast<int>(c.asking) << " interleaved=" << c.interleaved << "\n"
                          << flexsync::test::describe(history));
    std::vector<std::size_t> all(history.operations.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = i;
    }
    deliver_rest(World(history, c, seed), all);
  }
}

void try_every_way(Case c) {
  constexpr std::uint64_t kHistories = 30;
  for (const auto ordering : {Ordering::payload, Ordering::refetch}) {
    for (const bool interleaved : {false, true}) {
      for (const auto asking : {Asking::always, Asking::sometimes, Asking::never}) {
        c.settings.ordering = ordering;
        c.interleaved = interleaved;
        c.asking = asking;
        try_all_orders(c, kHistories);
      }
    }
  }
}

void check_plan(const StoreModel& store, const ObjectHistory& history) {
  const auto& last = std::get<stripe::ProductState>(history.operations.back().event.state);
  const auto* plan = store.plan(kOwner, PlanId("plan_1"));
  const auto* addon = store.twin(kOwner, PlanId("plan_1"));
  REQUIRE(plan != nullptr);
  REQUIRE(addon != nullptr);
  CHECK(plan->fields == PlanFields{last.name.empty() ? "prod_1" : last.name, last.description, last.metadata});
  CHECK(plan->status == (last.deleted ? Status::deleted : last.active ? Status::published : Status::archived));
  CHECK(addon->fields == plan->fields);
  CHECK(addon->status == plan->status);
  for (const auto* type : {"plan", "addon"}) {
    CHECK((store.live_mapping(kOwner, StripeId("prod_1"), type) != nullptr) == !last.deleted);
  }
}

void check_price(const StoreModel& store, const ObjectHistory& history) {
  const auto& last = std::get<stripe::PriceState>(history.operations.back().event.state);
  const auto* price = store.price(kOwner, last.id);
  REQUIRE(price != nullptr);
  CHECK(price->display_name == last.nickname);
  CHECK(price->metadata == last.metadata);
  CHECK(price->status == (last.deleted ? Status::deleted : last.active ? Status::published : Status::archived));
}

void check_subscription(const StoreModel& store, const ObjectHistory& history) {
  const auto& last = std::get<stripe::SubscriptionState>(history.operations.back().event.state);
  const auto* subscription = store.subscription(kOwner, SubscriptionId("subs_1"));
  REQUIRE(subscription != nullptr);
  std::vector<SeenItem> seen;
  for (const auto& operation : history.operations) {
    const auto& event = operation.event;
    seen = remember(seen, std::get<stripe::SubscriptionState>(event.state).items, event.created,
                    event.type == "customer.subscription.created");
  }
  const auto& terms = subscription->terms;
  CHECK(subscription->seen_items == seen);
  CHECK(terms.plan_item_id == plan_item_of(seen, last.items));
  CHECK(terms.addons.size() + 1 == last.items.size());
  CHECK(terms.subscription_status == subscription_status_of(last.status));
  CHECK(terms.cancel_at_period_end == last.cancel_at_period_end);
}

}  // namespace

TEST_CASE("every order of a product's events ends in Stripe's state") {
  try_every_way({product_history, check_plan, {}});
}

TEST_CASE("every order of a price's events ends in Stripe's state") {
  try_every_way({price_history, check_price, {}});
}

TEST_CASE("every order of a subscription's events ends in Stripe's state, with the same item as its plan") {
  try_every_way({subscription_history, check_subscription, {}});
}
