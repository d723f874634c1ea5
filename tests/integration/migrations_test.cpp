#include "store/migrations.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <pqxx/pqxx>

#include "integration/login_cluster.hpp"
#include "store/session.hpp"
#include "support/postgres_fixture.hpp"

using namespace flexsync;
using namespace flexsync::store;
using flexsync::testing::LoginCluster;
using flexsync::testing::PostgresFixture;

namespace {

int newest() {
  return embedded_migrations().back().version;
}

std::string value(const std::string& url, const std::string& statement) {
  pqxx::connection connection(url);
  pqxx::nontransaction tx(connection);
  return tx.exec(statement).at(0).at(0).c_str();
}

}  // namespace

TEST_CASE("the migrations are numbered from one without a gap", "[migrations]") {
  int expected = 0;
  for (const auto& migration : embedded_migrations()) {
    CHECK(migration.version == ++expected);
    CHECK(migration.name.starts_with(std::string(4 - std::to_string(expected).size(), '0') + std::to_string(expected)));
    CHECK_FALSE(migration.sql.empty());
  }
}

TEST_CASE("an empty database is brought to the newest version, once", "[migrations]") {
  const auto database = PostgresFixture::instance().fresh_database();
  CHECK(schema_version(database.url()) == 0);
  const auto first = migrate(database.url());
  REQUIRE(first);
  CHECK(first->from == 0);
  CHECK(first->to == newest());
  CHECK(schema_version(database.url()) == newest());
  const auto again = migrate(database.url());
  REQUIRE(again);
  CHECK(again->from == newest());
  CHECK(again->to == newest());
  CHECK(value(database.url(), "SELECT count(*) FROM schema_migrations") == std::to_string(newest()));
}

TEST_CASE("what is stored already is kept, and events that are parked learn what they are about", "[migrations]") {
  const auto database = PostgresFixture::instance().fresh_database();
  {
    pqxx::connection connection(database.url());
    pqxx::work tx(connection);
    tx.exec(
        "CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz "
        "NOT NULL DEFAULT now())");
    for (const auto& migration : embedded_migrations()) {
      if (migration.version < 5) {
        tx.exec(migration.sql);
        tx.exec_params("INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", migration.version,
                       migration.name);
      }
    }
    tx.exec("INSERT INTO tenants VALUES ('t1', 'n', 'published', now(), now())");
    tx.exec("INSERT INTO environments VALUES ('t1', 'e1', 'n', 'development', 'published', now(), now())");
    for (const std::string type : {"customer.updated", "customer.deleted"}) {
      const auto seq = tx.exec(
          "INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, "
          "object_id, api_version, stripe_created, received_at, request_id, payload_bytes, "
          "payload) VALUES ('t1', 'e1', 'evt_" +
          type + "', '" + type + "', 'customer', 'cus_1', '', '2026-01-01Z', now(), '', 1, '') RETURNING seq");
      tx.exec_params("INSERT INTO parked_events VALUES ('t1', 'e1', $1, 'evt_" + type +
                         "', 'dead', 8, now(), '', '', now(), now())",
                     seq[0][0].as<long>());
    }
    tx.commit();
  }
  REQUIRE(migrate(database.url()));
  CHECK(value(database.url(), "SELECT string_agg(object_type || object_id, ',' ORDER BY seq) FROM parked_events") ==
        "customercus_1,");
  CHECK(value(database.url(), "SELECT count(*) FROM parked_events WHERE stripe_created = '2026-01-01Z'") == "1");
  for (const std::string table : {"tenants", "environments"}) {
    CHECK(value(database.url(), "SELECT count(*) FROM " + table) == "1");
  }
  CHECK(value(database.url(), "SELECT count(*) FROM inbox") == "2");
  CHECK(value(database.url(), "SELECT count(*) FROM customers") == "0");
}

TEST_CASE("processes that migrate one database at once take turns", "[migrations]") {
  const auto database = PostgresFixture::instance().fresh_database();
  std::vector<std::future<Result<MigrationReport>>> racing;
  for (int i = 0; i < 4; ++i) {
    racing.push_back(std::async(std::launch::async, [&] { return migrate(database.url()); }));
  }
  int did_it = 0;
  for (auto& one : racing) {
    const auto report = one.get();
    REQUIRE(report);
    CHECK(report->to == newest());
    did_it += report->from == 0 ? 1 : 0;
  }
  CHECK(did_it == 1);
}

TEST_CASE("two databases of one cluster can be migrated at once, though roles belong to both", "[migrations]") {
  auto& cluster = LoginCluster::instance();
  const auto one = cluster.empty_database();
  const auto two = cluster.empty_database();
  const auto migrating = [&](const std::string& name) {
    return std::async(std::launch::async, [&] { return migrate(cluster.url(LoginCluster::kOwner, name)); });
  };
  auto first = migrating(one);
  auto second = migrating(two);
  const auto first_report = first.get();
  const auto second_report = second.get();
  CAPTURE(first_report ? "" : first_report.error().message, second_report ? "" : second_report.error().message);
  CHECK(first_report);
  CHECK(second_report);
}

TEST_CASE("a database that is newer than the program is refused and left alone", "[migrations]") {
  const auto database = PostgresFixture::instance().fresh_database();
  REQUIRE(migrate(database.url()));
  const auto future = std::to_string(newest() + 1);
  {
    pqxx::connection connection(database.url());
    pqxx::nontransaction(connection).exec("INSERT INTO schema_migrations (version, name) VALUES (" + future + ", 'x')");
  }
  const auto refused = migrate(database.url());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_operation);
  CHECK(refused.error().message.find("version " + future) != std::string::npos);
  CHECK(refused.error().message.find("newer flexsync") != std::string::npos);
  CHECK(schema_version(database.url()) == newest() + 1);
}

TEST_CASE("an owner that is no superuser can migrate, and the server's login needs the roles only", "[migrations]") {
  auto& cluster = LoginCluster::instance();
  const auto database = cluster.migrated_database();
  const auto owner = cluster.url(LoginCluster::kOwner, database);
  CHECK(value(owner, "SELECT current_setting('is_superuser')") == "off");
  CHECK(schema_version(owner) == newest());
  CHECK(value(owner, "SELECT tableowner FROM pg_tables WHERE tablename = 'inbox'") == LoginCluster::kOwner);

  // The owner is bound by row-level security too, and may work by its own policy: later migrations need it.
  CHECK(value(owner, "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'tenants'") == "t");
  CHECK(value(owner, "INSERT INTO tenants VALUES ('t1', 'n', 'published', now(), now()) RETURNING tenant_id") == "t1");
  CHECK(value(owner, "SELECT count(*) FROM tenants") == "1");

  Session server({.url = cluster.url(LoginCluster::kServer, database)}, [](pqxx::connection&) {});
  pqxx::work tx(server.connection());
  enter_scope(tx, {TenantId{"t1"}, {}});
  CHECK(tx.exec("SELECT current_user").at(0).at(0).c_str() == std::string("flexsync_app"));
  CHECK(tx.exec("SELECT count(*) FROM tenants").at(0).at(0).as<int>() == 1);
}

TEST_CASE("a login that may not create tables is told so", "[migrations]") {
  auto& cluster = LoginCluster::instance();
  const auto refused = migrate(cluster.url(LoginCluster::kNobody, cluster.empty_database()));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::database_error);
  CHECK(refused.error().message.find("permission denied") != std::string::npos);
}

TEST_CASE("a database that cannot be reached is unavailable, not broken", "[migrations]") {
  const auto refused = migrate("host=/nonexistent dbname=x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::service_unavailable);
}
