#include "store/connection_cache.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "integration/store_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::ConnectionCache;
using flexsync::store::EventOwner;
using flexsync::store::StripeEndpoint;
using flexsync::testing::PostgresFixture;
using flexsync::testing::StoreWorld;

namespace {

using Endpoint = ConnectionCache::Endpoint;

struct World : StoreWorld {
  ConnectionCache cache{pool, secrets, clock};
  Scope scope = new_scope();

  Connection connect(const Scope& where, const std::string& webhook_secret, const std::string& account = "acct_1",
                     const std::string& key = "sk_test_1", bool is_default = false) {
    Connection wanted;
    wanted.scope = where;
    wanted.name = "Stripe";
    wanted.provider_type = "stripe";
    if (is_default) {
      wanted.metadata["default"] = "true";
    }
    return provisioning.create_connection(wanted, {{}, Secret(key), {Secret(webhook_secret)}, account}, admin).value();
  }

  void roll(const Connection& connection, const std::string& webhook_secret) {
    Connection change;
    change.id = connection.id;
    change.scope = connection.scope;
    REQUIRE(provisioning.update_connection(change, {{}, {}, {Secret(webhook_secret)}, ""}, admin));
  }

  Result<Endpoint> find(const Scope& where) {
    std::promise<Result<Endpoint>> promise;
    cache.find(where, [&](Result<Endpoint> found) { promise.set_value(std::move(found)); });
    return promise.get_future().get();
  }
  Result<Endpoint> refresh(const Scope& where) {
    std::promise<Result<Endpoint>> promise;
    cache.refresh(where, [&](Result<Endpoint> found) { promise.set_value(std::move(found)); });
    return promise.get_future().get();
  }
  EventOwner owner(const std::string& account, std::optional<bool> livemode) {
    std::promise<Result<EventOwner>> promise;
    cache.find_global(account, livemode, [&](Result<EventOwner> found) { promise.set_value(std::move(found)); });
    return promise.get_future().get().value();
  }
  // The answer when it comes on the very call, as it must from memory.
  std::optional<std::string> at_once(const Scope& where) {
    const auto secret = std::make_shared<std::optional<std::string>>();  // a read may answer later, on its thread
    cache.find(where, [secret, caller = std::this_thread::get_id()](const Result<Endpoint>& found) {
      if (std::this_thread::get_id() == caller) {
        *secret = found ? first_secret(found) : "error";
      }
    });
    return *secret;
  }
  // Until the read that was begun in the background has been taken in.
  std::string eventually(const Scope& where, const std::string& wanted) {
    std::string now;
    for (int tries = 0; tries < 500 && now != wanted; ++tries) {
      pool.run(std::nullopt, "waiting", [](pqxx::transaction_base& tx) { tx.exec("SELECT pg_sleep(0.01)"); });
      now = at_once(where).value_or("");
    }
    return now;
  }
  static std::string first_secret(const Result<Endpoint>& found) {
    return std::string((*found)->webhook_secrets.at(0).reveal());
  }
};

}  // namespace

TEST_CASE("an endpoint is read once, decrypted, and then served from memory", "[connection_cache]") {
  World world;
  const auto connection = world.connect(world.scope, "whsec_1");
  const auto found = world.find(world.scope);
  REQUIRE(found);
  const auto& endpoint = **found;
  CHECK(endpoint.connection == connection.id);
  CHECK(endpoint.scope == world.scope);
  CHECK(endpoint.secret_key.reveal() == "sk_test_1");
  REQUIRE(endpoint.webhook_secrets.size() == 1);
  CHECK(endpoint.webhook_secrets[0].reveal() == "whsec_1");
  CHECK(endpoint.livemode == false);
  CHECK(endpoint.account_id == "acct_1");
  CHECK(endpoint.sync_config == "{}");
  CHECK(world.at_once(world.scope) == "whsec_1");
  CHECK(*world.find(world.scope) == *found);  // the same object
}

TEST_CASE("no connection is not_found, for a moment without asking again", "[connection_cache]") {
  World world;
  CHECK_FALSE(world.at_once(world.scope));  // a miss must be read
  const auto missing = world.find(world.scope);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().message == "Stripe connection not configured for this environment");
  CHECK(world.at_once(world.scope) == "error");
  world.connect(world.scope, "whsec_1");
  CHECK(world.at_once(world.scope) == "error");
  world.clock.advance(1s);
  CHECK(world.find(world.scope));
  for (const auto& text : {std::string("a\0b", 3), std::string("\xFF"), std::string(300, 'x')}) {
    CHECK(world.at_once({TenantId{text}, world.scope.environment}) == "error");
  }
}

TEST_CASE("an old endpoint is served at once while it is read again; a very old one is not", "[connection_cache]") {
  World world;
  const auto connection = world.connect(world.scope, "whsec_old");
  REQUIRE(world.find(world.scope));
  world.roll(connection, "whsec_new");
  world.clock.advance(4999ms);
  CHECK(world.at_once(world.scope) == "whsec_old");
  world.clock.advance(1ms);
  CHECK(world.at_once(world.scope) == "whsec_old");
  CHECK(world.eventually(world.scope, "whsec_new") == "whsec_new");

  world.clock.advance(61s);
  CHECK_FALSE(world.at_once(world.scope));
}

TEST_CASE("a refresh reads anew, once a second", "[connection_cache]") {
  World world;
  const auto connection = world.connect(world.scope, "whsec_1");
  REQUIRE(world.find(world.scope));
  world.roll(connection, "whsec_2");
  CHECK(World::first_secret(world.refresh(world.scope)) == "whsec_2");
  world.roll(connection, "whsec_3");
  CHECK(World::first_secret(world.refresh(world.scope)) == "whsec_2");
  world.clock.advance(1s);
  CHECK(World::first_secret(world.refresh(world.scope)) == "whsec_3");
}

TEST_CASE("a change through this process is seen at once", "[connection_cache]") {
  World world;
  const auto connection = world.connect(world.scope, "whsec_1");
  REQUIRE(world.find(world.scope));
  world.roll(connection, "whsec_2");
  world.cache.invalidate(world.scope);
  CHECK(World::first_secret(world.find(world.scope)) == "whsec_2");
  REQUIRE(world.provisioning.delete_connection(world.scope, connection.id, world.admin));
  world.cache.invalidate(world.scope);
  CHECK(world.find(world.scope).error().code == ErrorCode::not_found);
}

TEST_CASE("while the database is away what is known is served, and nothing is called missing", "[connection_cache]") {
  World world;
  world.connect(world.scope, "whsec_1");
  const auto other = world.new_scope("Other");
  REQUIRE(world.find(world.scope));
  PostgresFixture::instance().stop();
  world.clock.advance(10s);
  const auto known = world.at_once(world.scope);
  const auto unknown = world.find(other);
  PostgresFixture::instance().start();
  CHECK(known == "whsec_1");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::service_unavailable);
  CHECK(world.find(other).error().code == ErrorCode::not_found);  // asked anew
}

TEST_CASE("secrets that do not open are an error that says which key is missing", "[connection_cache]") {
  World world;
  world.connect(world.scope, "whsec_1");
  const auto other_keys = flexsync::testing::secret_box_with("k2");
  ConnectionCache cache(world.pool, other_keys, world.clock);
  std::promise<Result<Endpoint>> promise;
  cache.find(world.scope, [&](Result<Endpoint> found) { promise.set_value(std::move(found)); });
  const auto found = promise.get_future().get();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::internal_error);
  CHECK(found.error().message.find("\"k1\"") != std::string::npos);
}

TEST_CASE("account and livemode select the connection of a global event", "[connection_cache]") {
  World world;
  const Scope live{world.scope.tenant, world.new_environment(world.scope.tenant, "Live")};
  const auto other = world.new_scope("Other");
  world.connect(world.scope, "whsec_1", "acct_1", "sk_test_1");
  world.connect(live, "whsec_2", "acct_1", "sk_live_1");
  world.connect(other, "whsec_3", "acct_2", "sk_test_2", /*is_default=*/true);

  CHECK(world.owner("acct_1", false).scope == world.scope);
  CHECK(world.owner("acct_1", true).scope == live);
  CHECK(world.owner("acct_2", false).scope == other);
  CHECK(world.owner("", false).scope == other);
  CHECK(world.owner("", true).reason == "no Stripe connection marked default in live mode");
  CHECK(world.owner("acct_9", true).reason == "no Stripe connection of account acct_9 in live mode");
  CHECK(world.owner("acct_1", {}).reason.starts_with("several Stripe connections of account acct_1"));
  CHECK_FALSE(world.owner("acct_1", {}).scope);

  const auto late = world.new_scope("Late");
  world.connect(late, "whsec_4", "acct_9", "sk_live_9");
  CHECK_FALSE(world.owner("acct_9", true).scope);
  world.cache.invalidate(late);
  CHECK(world.owner("acct_9", true).scope == late);
}
