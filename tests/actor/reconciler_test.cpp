// The comparison with Stripe: what is repaired, how often Stripe is asked, and what every failure leads to.
#include "actors/reconciler.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/actor_fixture.hpp"
#include "support/fake_catch_up.hpp"
#include "support/scripted_client.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using namespace std::chrono_literals;

namespace {

// The mirror of one environment, in memory. Held as "reconcile".
struct FakeMirror final : store::ReconcileSource {
  explicit FakeMirror(HeldCalls& calls) : held(calls) {}

  template <class Value>
  void answer(const std::function<void(Result<Value>)>& reply, Value value) {
    held.call("reconcile", [this, reply, value = std::move(value)] {
      const auto fault = faults.take();
      const Result<Value> result = fault ? Result<Value>(fail(*fault, "the script says so")) : Result<Value>(value);
      return [reply, result] { reply(result); };
    });
  }

  void basis(const Scope&, std::function<void(Result<std::optional<store::ReconcileBasis>>)> reply) override {
    answer(reply, connection);
  }
  void known(const Scope&, const std::string& type, std::vector<StripeId> ids,
             std::function<void(Result<std::map<StripeId, KnownObject>>)> reply) override {
    std::map<StripeId, KnownObject> found;
    for (const auto& object : shadows) {
      if (object.shadow.object_type == type && std::count(ids.begin(), ids.end(), object.shadow.stripe_id) > 0) {
        found.emplace(object.shadow.stripe_id, KnownObject{object.shadow, object.waits});
      }
    }
    answer(reply, found);
  }
  void mirrored(const Scope&, store::MirrorPage page,
                std::function<void(Result<std::vector<MirroredObject>>)> reply) override {
    std::vector<MirroredObject> found;
    for (const auto& object : shadows) {
      const auto& shadow = object.shadow;
      if (shadow.object_type == page.object_type && shadow.stripe_id.str() > page.after &&
          shadow.true_during.to < page.seen_before && found.size() < static_cast<std::size_t>(page.rows_max)) {
        found.push_back(object);
      }
    }
    answer(reply, found);
  }
  void marked(const Scope&, int, std::function<void(Result<std::vector<MirroredObject>>)> reply) override {
    std::vector<MirroredObject> found;
    for (const auto& object : shadows) {
      if (object.shadow.needs_reconcile) {
        found.push_back(object);
      }
    }
    answer(reply, found);
  }
  void finish(const Scope&, const ConnectionId&, Timestamp at, std::int64_t compared, std::int64_t different,
              std::function<void(Result<void>)> reply) override {
    held.call("reconcile", [this, at, compared, different, reply = std::move(reply)] {
      connection->walked_at = at;
      rounds.emplace_back(compared, different);
      return [reply] { reply({}); };
    });
  }

  HeldCalls& held;
  std::optional<store::ReconcileBasis> connection;
  std::vector<MirroredObject> shadows;  // by type and id
  std::vector<std::pair<std::int64_t, std::int64_t>> rounds;
  Script<ErrorCode> faults;
};

struct Fixture : ActorFixture {
  Fixture() {
    reconcile = &mirror;
    intake = &inbox_of_events;
    config.reconcile_interval = 1h;
    config.reconcile_start = 0ms;
    mirror.connection = store::ReconcileBasis{ConnectionId("conn_1"), clock.now() - 24h, std::nullopt};
    script.answer = [this](const stripe::Call& call) { return answer(call); };
    client = scripted_client(*this, script);
  }

  void start() {
    actor = own(system.spawn(reconciler, services(), kTenant, client));
    caf::anon_send(actor, owned_atom::value);
    run();
  }

  // Customers as the test has them, one to a page; a subscription, if it has one; nothing of any other type.
  stripe::CallOutcome answer(const stripe::Call& call) {
    if (unavailable) {
      return stripe::RetryLater{"429", clock.now() + 10s};
    }
    std::string data;
    bool more = false;
    if (call.path.starts_with("/v1/customers")) {
      const auto at = call.path.find("starting_after=");
      auto next = at == std::string::npos ? customers.begin() : customers.upper_bound(call.path.substr(at + 15));
      if (next != customers.end()) {
        data = R"({"id":")" + next->first + R"(","object":"customer","created":)" +
               std::to_string(to_unix_seconds(clock.now()) - 60) + R"(,"name":")" + next->second + R"("})";
        more = ++next != customers.end();
      }
    } else if (call.path.starts_with("/v1/subscription_items")) {
      data = listed_items;
    } else if (call.path.starts_with("/v1/subscriptions")) {
      data = listed_subscription;
    }
    return stripe::Answered{
        R"({"object":"list","has_more":)" + std::string(more ? "true" : "false") + R"(,"data":[)" + data + "]}",
        {clock.now() - 1s, clock.now()}};
  }

  void mirror_customer(const std::string& id, const std::string& customer_name) {
    stripe::CustomerState state;
    state.id = StripeId(id);
    state.name = customer_name;
    MirroredObject object;
    object.shadow = {"customer", state.id, "cust_" + id, stripe::to_canonical(state), {}, false, false, 1};
    mirror.shadows.push_back(object);
  }

  std::vector<std::string> repaired() const {
    std::vector<std::string> objects;
    for (const auto& [id, event] : inbox_of_events.inbox) {
      CHECK(event.type == stripe::kReconcileEvent);
      objects.push_back(event.object_id);
    }
    std::sort(objects.begin(), objects.end());
    return objects;
  }

  FakeMirror mirror{held};
  FakeIntake inbox_of_events{held};
  std::map<std::string, std::string> customers;
  std::string listed_subscription;
  std::string listed_items;
  bool unavailable = false;
  ClientScript script;
  stripe_client_actor client;
  reconciler_actor actor;
};

}  // namespace

TEST_CASE("reconciler does nothing without store, without interval, without connection") {
  Fixture without;
  without.reconcile = nullptr;
  without.start();
  CHECK(without.script.calls.empty());

  Fixture off;
  off.config.reconcile_interval = 0ms;
  off.start();
  CHECK(off.script.calls.empty());

  Fixture unconnected;
  unconnected.mirror.connection.reset();
  unconnected.start();
  unconnected.advance(2min);
  CHECK(unconnected.script.calls.empty());
}

TEST_CASE("what differs, is absent or is gone is given to repair, and nothing else") {
  Fixture f;
  f.customers = {{"cus_1", "as it is"}, {"cus_2", "changed"}, {"cus_3", "silent"}};
  f.mirror_customer("cus_1", "as it is");
  f.mirror_customer("cus_2", "was");
  f.mirror_customer("cus_4", "gone");
  f.start();
  f.advance(1min);
  CHECK(f.repaired() == std::vector<std::string>{"cus_2", "cus_3", "cus_4"});
  CHECK(f.mirror.rounds == std::vector<std::pair<std::int64_t, std::int64_t>>{{3, 3}});
  CHECK(f.metrics.reconcile_differences().Value() == 3);
  for (const auto& call : f.script.calls) {
    CHECK(call.lane == stripe::Lane::bulk);
  }
}

TEST_CASE("a subscription of many items is compared with all of them, within the budget") {
  const std::string shown = R"({"id":"si_1","object":"subscription_item","price":{"id":"price_1","product":"prod_1"}})";
  const std::string hidden = R"({"id":"si_2","object":"subscription_item","price":{"id":"price_2","product":"prod_1"})";
  const auto listed = R"({"id":"sub_1","object":"subscription","customer":"cus_1","status":"active","created":1,)"
                      R"("items":{"object":"list","has_more":true,"data":[)" +
                      shown + "]}}";
  Fixture f;
  f.config.reconcile_call_pause = 10s;
  f.listed_subscription = listed;
  f.listed_items = shown + "," + hidden + R"(,"quantity":2})";
  auto state = *stripe::parse_subscription(listed);
  REQUIRE(stripe::take_items(state, R"({"object":"list","has_more":false,"data":[)" + f.listed_items + "]}"));
  MirroredObject object;
  object.shadow = {"subscription", state.id, "subs_1", stripe::to_canonical(state), {}, false, false, 1};
  f.mirror.shadows.push_back(object);
  f.start();
  f.advance(39s);
  CHECK(f.script.calls.size() == 4);
  f.advance(1s);
  REQUIRE(f.script.calls.size() == 5);
  CHECK(f.script.calls.back() == [] {
    auto call = stripe::list_subscription_items(StripeId("sub_1"));
    call.lane = stripe::Lane::bulk;
    return call;
  }());
  f.advance(30s);
  CHECK(f.repaired().empty());
  CHECK(f.mirror.rounds == std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 0}});

  f.listed_items = shown + "," + hidden + R"(,"quantity":3})";
  f.advance(2h);
  CHECK(f.repaired() == std::vector<std::string>{"sub_1"});
}

TEST_CASE("the budget of calls is kept, and rounds begin an interval apart, also after a restart") {
  Fixture f;
  f.customers = {{"cus_1", "a"}, {"cus_2", "b"}, {"cus_3", "c"}};
  for (const auto& [id, customer_name] : f.customers) {
    f.mirror_customer(id, customer_name);
  }
  f.config.reconcile_call_pause = 10s;
  f.start();
  CHECK(f.script.calls.size() == 1);
  f.advance(9s);
  CHECK(f.script.calls.size() == 1);
  f.advance(1s);
  CHECK(f.script.calls.size() == 2);
  f.advance(50s);
  CHECK(f.script.calls.size() == 6);  // products, prices, three pages of customers, subscriptions
  CHECK(f.mirror.rounds.size() == 1);
  caf::anon_send_exit(f.actor, caf::exit_reason::kill);
  f.run();
  f.start();
  f.advance(58min);
  CHECK(f.mirror.rounds.size() == 1);
  f.advance(4min);
  CHECK(f.mirror.rounds.size() == 2);
  CHECK(f.repaired().empty());
}

TEST_CASE("the first round of a connection comes an interval after it, and not at once after a start") {
  Fixture f;
  f.config.reconcile_start = 10min;
  f.start();
  f.advance(10min - 50ms);
  CHECK(f.script.calls.empty());
  f.advance(50ms);
  CHECK(f.script.calls.size() == 1);

  Fixture young;
  young.mirror.connection->since = young.clock.now() - 10min;
  young.start();
  young.advance(50min - 50ms);
  CHECK(young.script.calls.empty());
  young.advance(50ms);
  CHECK(young.script.calls.size() == 1);
}

TEST_CASE("an account that lists nothing of ours deletes nothing") {
  Fixture f;
  f.customers = {{"other_1", "another's"}};
  f.mirror_customer("cus_1", "ours");
  f.start();
  f.advance(1min);
  CHECK(f.repaired() == std::vector<std::string>{"other_1"});
  CHECK(f.mirror.rounds.empty());
}

TEST_CASE("Stripe or the store away: the round begins again, and repairs once") {
  Fixture f;
  f.customers = {{"cus_2", "changed"}};
  f.mirror_customer("cus_2", "was");
  f.unavailable = true;
  f.start();
  f.advance(30s);
  CHECK(f.mirror.rounds.empty());
  f.unavailable = false;
  f.mirror.faults.next(ErrorCode::service_unavailable, 2);
  f.inbox_of_events.faults.next(ErrorCode::service_unavailable);
  f.advance(10min);
  CHECK(f.repaired() == std::vector<std::string>{"cus_2"});
  CHECK(f.mirror.rounds.size() == 1);
}

TEST_CASE("another connection: the round begins anew; its answer for the former one counts no more") {
  Fixture f;
  f.customers = {{"cus_1", "a"}};
  f.mirror_customer("cus_1", "a");
  f.script.holds = true;
  f.start();
  REQUIRE(f.script.waiting() == 1);
  caf::anon_send(f.actor, rekeyed_atom::value);
  f.run();
  CHECK(f.script.waiting() == 2);
  f.script.release();
  f.run();
  CHECK(f.script.waiting() == 1);
}

TEST_CASE("between rounds, marked shadows are seen to") {
  Fixture f;
  f.customers = {{"cus_1", "a"}};
  f.mirror_customer("cus_1", "a");
  f.start();
  f.advance(1min);
  REQUIRE(f.repaired().empty());
  f.mirror.shadows.front().shadow.needs_reconcile = true;
  f.advance(5min);
  CHECK(f.repaired() == std::vector<std::string>{"cus_1"});
}
