#include "store/authenticator.hpp"

#include <catch2/catch.hpp>

#include "integration/store_world.hpp"
#include "support/postgres_fixture.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::kApiKeyTtl;
using flexsync::store::StoreAuthenticator;
using flexsync::testing::kStart;
using flexsync::testing::PostgresFixture;
using flexsync::testing::StoreWorld;

namespace {

struct World : StoreWorld {
  Scope scope = new_scope();
  StoreAuthenticator authenticator{pool, clock, Secret("the-admin-key")};

  IssuedApiKey issue(std::optional<Timestamp> expires = {}) {
    return provisioning.create_api_key({scope, "CI", "private_key", expires}, admin).value();
  }
  Result<Principal> ask(const IssuedApiKey& issued) {
    return authenticator.authenticate(std::string(issued.key.reveal()));
  }
  // Written by the pool some time after the answer.
  std::string last_used(const ApiKeyId& id) {
    for (int tries = 0; tries < 500; ++tries) {
      const auto found = value(
          "SELECT coalesce((extract(epoch FROM last_used_at) * 1000000)::bigint::text, '') FROM"
          " api_keys WHERE id = '" +
          id.str() + "'");
      if (!found.empty()) {
        return found;
      }
      pool.run(std::nullopt, "waiting", [](pqxx::transaction_base& tx) { tx.exec("SELECT pg_sleep(0.01)"); });
    }
    return {};
  }
};

void check_refused(const Result<Principal>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::unauthenticated);
}

}  // namespace

TEST_CASE("the admin key is the admin, and nothing near it is", "[authenticator]") {
  World world;
  const auto admin = world.authenticator.authenticate("the-admin-key");
  REQUIRE(admin);
  CHECK(admin->kind == Principal::Kind::admin);
  CHECK(admin->label == "admin");
  CHECK(admin->scope == Scope{});
  for (const auto* key : {"", "the-admin-ke", "the-admin-key ", "The-admin-key"}) {
    check_refused(world.authenticator.authenticate(key));
  }
  check_refused(world.authenticator.authenticate(std::string(100'000, 'x')));
  StoreAuthenticator without(world.pool, world.clock, Secret());
  check_refused(without.authenticate(""));
}

TEST_CASE("an API key is its tenant's environment", "[authenticator]") {
  World world;
  const auto issued = world.issue();
  const auto principal = world.ask(issued);
  REQUIRE(principal);
  CHECK(principal->kind == Principal::Kind::api_key);
  CHECK(principal->scope == world.scope);
  CHECK(principal->api_key == issued.record.id);
  CHECK(principal->label == "api_key:" + issued.record.id.str());
  check_refused(world.authenticator.authenticate("sk_fs_unknown"));
}

TEST_CASE("an answer is kept for its time, and a revocation here ends it at once", "[authenticator]") {
  World world;
  const auto issued = world.issue();
  REQUIRE(world.ask(issued));
  world.sql("UPDATE api_keys SET status = 'deleted'");  // by another process
  CHECK(world.ask(issued));
  world.clock.advance(kApiKeyTtl);
  check_refused(world.ask(issued));

  const auto second = world.issue();
  REQUIRE(world.ask(second));
  REQUIRE(world.provisioning.revoke_api_key(world.scope, second.record.id, world.admin));
  world.authenticator.forget(second.record.id);
  check_refused(world.ask(second));
}

TEST_CASE("a key that is known serves on while the database is away", "[authenticator]") {
  World world;
  const auto issued = world.issue();
  REQUIRE(world.ask(issued));
  PostgresFixture::instance().stop();
  const auto known = world.ask(issued);
  const auto unknown = world.authenticator.authenticate("sk_fs_unknown");
  PostgresFixture::instance().start();
  CHECK(known);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::service_unavailable);  // not "unauthenticated": nobody knows
}

TEST_CASE("a key expires to the second, cached or not", "[authenticator]") {
  World world;
  const auto issued = world.issue(kStart + 3s);
  REQUIRE(world.ask(issued));
  world.clock.advance(2999ms);
  CHECK(world.ask(issued));
  world.clock.advance(1ms);
  check_refused(world.ask(issued));
  world.clock.advance(1h);
  check_refused(world.ask(issued));
}

TEST_CASE("the last use is written down, at most once a minute", "[authenticator]") {
  World world;
  const auto issued = world.issue();
  REQUIRE(world.ask(issued));
  CHECK(world.last_used(issued.record.id) == std::to_string(to_unix_micros(kStart)));
  const auto writes = [&] { return world.value("SELECT xmin::text FROM api_keys"); };
  const auto first = writes();
  for (int i = 0; i < 9; ++i) {
    world.clock.advance(6s);
    REQUIRE(world.ask(issued));
  }
  StoreAuthenticator other(world.pool, world.clock, Secret());  // as another process would
  REQUIRE(other.authenticate(std::string(issued.key.reveal())));
  world.pool.run(std::nullopt, "waiting", [](pqxx::transaction_base& tx) { tx.exec("SELECT pg_sleep(0.05)"); });
  CHECK(writes() == first);
}
