#include "store/session.hpp"

#include <catch2/catch.hpp>
#include <pqxx/pqxx>

#include "support/postgres_fixture.hpp"

using namespace flexsync::store;
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
