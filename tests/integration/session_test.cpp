#include "store/session.hpp"

#include <catch2/catch.hpp>
#include <pqxx/pqxx>

#include "integration/store_world.hpp"
#include "support/postgres_fixture.hpp"

using namespace flexsync::store;
using flexsync::testing::migrated_database;
using flexsync::testing::PostgresFixture;

namespace {

Failure failure_of(const std::string& url, const std::string& statement) {
  pqxx::connection connection(url);
  pqxx::work tx(connection);
  try {
    tx.exec(statement);
  } catch (const std::exception& e) {
    return classify(e);
  }
  FAIL("the statement did not fail: " << statement);
  return Failure::rejected;
}

std::string raise(const std::string& state) {
  return "DO $$ BEGIN RAISE EXCEPTION 'x' USING errcode = '" + state + "'; END $$";
}

}  // namespace

TEST_CASE("a failure of PostgreSQL is told apart by what can be done about it", "[session]") {
  const auto database = PostgresFixture::instance().fresh_database();
  const auto of = [&](const std::string& statement) { return failure_of(database.url(), statement); };
  CHECK(of("CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1), (1)") == Failure::conflict);
  CHECK(of("SELECT 1 / 0") == Failure::rejected);
  CHECK(of("SELECT pg_terminate_backend(pg_backend_pid())") == Failure::unavailable);
  // The server's role has no rights here: a fault of ours, that no repetition and no other connection mends.
  CHECK(of("CREATE ROLE plain; CREATE TABLE t (i int); SET LOCAL ROLE plain; SELECT * FROM t") == Failure::rejected);
  for (const auto* state : {"40P01", "40001", "55P03"}) {
    CAPTURE(state);
    CHECK(of(raise(state)) == Failure::transient);
  }
  for (const auto* state : {"57P01", "53300", "53100", "57014", "08006"}) {
    CAPTURE(state);
    CHECK(of(raise(state)) == Failure::unavailable);
  }
}

// A plan made while the table was empty stands until the next ANALYZE, which is long in coming when rows come fast.
TEST_CASE("a prepared statement is planned anew when its table may have grown", "[session]") {
  const auto database = migrated_database();
  pqxx::connection owner(database.url());
  const auto as_owner = [&](const std::string& statement) { pqxx::nontransaction(owner).exec(statement); };
  as_owner(
      "CREATE TABLE grown (i int) WITH (autovacuum_enabled = off); ANALYZE grown;"
      " GRANT SELECT ON grown TO flexsync_apply");
  const auto session_with = [&](std::chrono::milliseconds plan_age_max) {
    return Session({database.url(), Role::apply, 5, 30'000, plan_age_max}, [](pqxx::connection& connection) {
      connection.prepare("look", "SELECT i FROM grown WHERE i = $1");
    });
  };
  const auto plan = [](Session& session) {
    auto& connection = session.connection();
    pqxx::nontransaction tx(connection);
    tx.exec_prepared("look", 1);
    return std::string(tx.exec("EXPLAIN EXECUTE look (1)")[0][0].c_str());
  };
  auto fresh = session_with(std::chrono::milliseconds(0));
  auto old = session_with(std::chrono::hours(1));
  const auto when_empty = plan(fresh);
  CHECK(plan(old) == when_empty);
  as_owner("INSERT INTO grown SELECT generate_series(1, 10000)");
  CHECK(plan(fresh) != when_empty);
  CHECK(plan(old) == when_empty);
}
