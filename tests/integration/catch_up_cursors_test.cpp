#include "store/catch_up_cursors.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <future>

#include "integration/store_world.hpp"
#include "store/inbox_source.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::CatchUpCursor;
using flexsync::store::WalkWhen;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

struct World : StoreWorld {
  ConnectionId connect(bool livemode = false) {
    Connection wanted;
    wanted.scope = scope;
    wanted.name = "Stripe";
    wanted.provider_type = "stripe";
    StripeSecrets key;
    key.secret_key = Secret(livemode ? "sk_live_1" : "sk_test_1");
    const auto made = provisioning.create_connection(wanted, key, admin);
    REQUIRE(made);
    return made->id;
  }

  std::optional<CatchUpCursor> begin(WalkWhen when = WalkWhen::now, std::chrono::seconds due = 600s) {
    std::promise<Result<std::optional<CatchUpCursor>>> promise;
    cursors.begin(scope, when, clock.now(), clock.now() + due,
                  [&](auto begun) { promise.set_value(std::move(begun)); });
    const auto begun = promise.get_future().get();
    REQUIRE(begun);
    return *begun;
  }

  bool move(const CatchUpCursor& begun, Timestamp reached) {
    std::promise<Result<bool>> promise;
    cursors.move(scope, begun, reached, clock.now() + 600s, [&](auto moved) { promise.set_value(moved); });
    const auto moved = promise.get_future().get();
    REQUIRE(moved);
    return *moved;
  }

  bool is_work(Timestamp due) {
    std::promise<std::vector<Scope>> promise;
    inbox.tenants_with_work(clock.now(), due, [&](auto scopes) { promise.set_value(*scopes); });
    const auto scopes = promise.get_future().get();
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
  }

  store::StoreCatchUpCursors cursors{pool};
  store::StoreInboxSource inbox{pool};
  Scope scope = new_scope();
};

}  // namespace

TEST_CASE("without a connection there is nothing to read", "[catch_up_cursors]") {
  World world;
  CHECK_FALSE(world.begin());
  CHECK_FALSE(world.is_work(kStart + 24h));
  CHECK(world.cursors.set_back(world.scope, kStart, kStart, world.admin).error().code == ErrorCode::not_found);
}

TEST_CASE("the first walk begins at the connection's creation, later ones where the last one came to",
          "[catch_up_cursors]") {
  World world;
  const auto connection = world.connect();
  world.clock.advance(1h);
  const auto first = world.begin();
  REQUIRE(first);
  CHECK(first->connection == connection);
  CHECK(first->livemode == false);
  CHECK(first->at == kStart);
  REQUIRE(world.move(*first, kStart + 50min + 7us));
  const auto second = world.begin();
  REQUIRE(second);
  CHECK(second->at == kStart + 50min + 7us);
  CHECK(second->revision == first->revision);
}

TEST_CASE("who only asks whether a walk is due begins none that is not", "[catch_up_cursors]") {
  World world;
  world.connect();
  CHECK(world.is_work(kStart));
  CHECK_FALSE(world.is_work(Timestamp{}));
  REQUIRE(world.begin(WalkWhen::if_due));
  CHECK_FALSE(world.begin(WalkWhen::if_due));
  CHECK_FALSE(world.is_work(kStart + 599s));
  CHECK(world.is_work(kStart + 600s));
  world.clock.advance(599s);
  CHECK_FALSE(world.begin(WalkWhen::if_due));
  world.clock.advance(1s);
  CHECK(world.begin(WalkWhen::if_due));
  CHECK(world.begin(WalkWhen::now));
}

TEST_CASE("another connection begins anew, and what was begun for the former one moves nothing", "[catch_up_cursors]") {
  World world;
  const auto former = world.connect();
  const auto begun = world.begin();
  REQUIRE(world.move(*begun, kStart + 30min));
  REQUIRE(world.provisioning.delete_connection(world.scope, former, world.admin));
  CHECK_FALSE(world.begin());
  world.clock.advance(2h);
  const auto connection = world.connect(true);
  CHECK(world.is_work(kStart));
  const auto anew = world.begin(WalkWhen::if_due);
  REQUIRE(anew);
  CHECK(anew->connection == connection);
  CHECK(anew->livemode == true);
  CHECK(anew->at == kStart + 2h);
  CHECK_FALSE(world.move(*begun, kStart + 1h));
  CHECK(world.begin()->at == kStart + 2h);
}

TEST_CASE("a cursor that was set back is walked from there at once, whatever was under way", "[catch_up_cursors]") {
  World world;
  const auto connection = world.connect();
  const auto begun = world.begin();
  REQUIRE(world.move(*begun, kStart + 30min));
  CHECK(*world.cursors.set_back(world.scope, kStart - 72h, world.clock.now(), world.admin) == kStart - 72h);
  CHECK(world.is_work(kStart));
  CHECK_FALSE(world.move(*begun, kStart + 40min));
  const auto again = world.begin(WalkWhen::if_due);
  REQUIRE(again);
  CHECK(again->at == kStart - 72h);
  CHECK(world.move(*again, kStart));

  const auto audit = world.audit("connection", connection.str());
  REQUIRE(audit.size() == 2);
  CHECK(std::string(audit[1]["action"].c_str()) == "backfill");
}

TEST_CASE("a cursor is never set forward", "[catch_up_cursors]") {
  World world;
  const auto connection = world.connect();
  CHECK(*world.cursors.set_back(world.scope, kStart + 1h, world.clock.now(), world.admin) == kStart);
  CHECK(world.begin(WalkWhen::if_due)->at == kStart);
  CHECK(world.audit("connection", connection.str()).size() == 1);
}

TEST_CASE("each environment has its own cursor", "[catch_up_cursors]") {
  World world;
  world.connect();
  REQUIRE(world.move(*world.begin(), kStart + 1h));
  world.scope = world.new_scope("Stranger");
  CHECK_FALSE(world.begin());
  world.connect();
  CHECK(world.begin()->at == kStart);
}
