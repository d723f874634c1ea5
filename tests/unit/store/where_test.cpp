#include "store/where.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::store;

TEST_CASE("a clause is made of fixed fragments and numbered parameters", "[where]") {
  Where where;
  CHECK(where.sql().empty());
  where.add("status <> 'deleted'");
  where.add("email = ?", "' OR 1=1 --");
  where.add_if_given("name = ?", "");
  where.add("id = ANY (?::text[])", std::vector<std::string>{"a"});
  CHECK(where.sql() == " WHERE (status <> 'deleted') AND (email = $1) AND (id = ANY ($2::text[]))");
  CHECK(where.bind("x") == "$3");
}

TEST_CASE("times bound a list from, inclusive, to, exclusive", "[where]") {
  ListOptions list;
  Where without;
  without.add_times("t.at", list);
  CHECK(without.sql().empty());
  list.start_time = from_unix_seconds(1);
  list.end_time = from_unix_seconds(2);
  Where where;
  where.add_times("t.at", list);
  CHECK(where.sql().find("(t.at >= ('epoch'::timestamptz + $1::bigint") != std::string::npos);
  CHECK(where.sql().find("(t.at < ('epoch'::timestamptz + $2::bigint") != std::string::npos);
}

TEST_CASE("a page is bounded whatever is asked for", "[where]") {
  const PageStatement statement{"a, b", "t", {"t.at", "t.id"}};
  ListOptions list;
  list.limit = 100'000;
  list.offset = -5;
  CHECK(page_sql(statement, {}, list) == "SELECT a, b FROM t ORDER BY t.at DESC, t.id DESC LIMIT 1000 OFFSET 0");
  list = {};
  list.ascending = true;
  list.offset = 7;
  CHECK(page_sql({"a", "t", {"t.seq"}}, {}, list) == "SELECT a FROM t ORDER BY t.seq ASC LIMIT 50 OFFSET 7");
  CHECK(count_sql(statement, {}) == "SELECT count(*) FROM t");
}

TEST_CASE("text that no column can hold is found before PostgreSQL has to", "[where]") {
  Where where;
  where.add("email = ?", "fine");
  CHECK(where.check());
  where.add("name = ?", "\xFF");
  REQUIRE_FALSE(where.check());
  CHECK(where.check().error().code == ErrorCode::validation_error);
}
