#include "domain/ulid.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

#include "domain/ids.hpp"

using namespace flexsync;

namespace {

// ULIDs rise over the whole process, so each test goes on from where the clock of the last one stood.
Timestamp later() {
  static Timestamp now = from_unix_seconds(1'800'000'000);
  now += std::chrono::seconds(1);
  return now;
}

}  // namespace

TEST_CASE("a ULID has 26 characters of Crockford's base 32, the first ten of them the time") {
  const auto now = later();
  const auto one = new_ulid(now);
  CHECK(one.size() == 26);
  CHECK(one.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos);

  std::int64_t milliseconds = 0;
  for (const char c : one.substr(0, 10)) {
    milliseconds =
        milliseconds * 32 + static_cast<std::int64_t>(std::string("0123456789ABCDEFGHJKMNPQRSTVWXYZ").find(c));
  }
  CHECK(milliseconds == to_unix_micros(now) / 1000);
}

TEST_CASE("ULIDs rise strictly, also within a millisecond and when the clock goes back") {
  const auto now = later();
  std::string last = new_ulid(now);
  for (int i = 0; i < 10'000; ++i) {
    const auto at = i % 3 == 0 ? now - std::chrono::seconds(1) : now;
    const auto next = new_ulid(at);
    REQUIRE(next > last);
    last = next;
  }
}

TEST_CASE("ULIDs of several threads are all different") {
  const auto now = later();
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back(
        [&mine, now] { std::generate_n(std::back_inserter(mine), 2'000, [&] { return new_ulid(now); }); });
  }
  std::set<std::string> all;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i].join();
    CHECK(std::is_sorted(made[i].begin(), made[i].end()));
    all.insert(made[i].begin(), made[i].end());
  }
  CHECK(all.size() == 8'000);
}

TEST_CASE("an id has its prefix and is recognised by it") {
  const auto id = new_id<CustomerId>(prefix::kCustomer, later());
  CHECK(id.str().starts_with("cust_"));
  CHECK(has_id_form(prefix::kCustomer, id.str()));
  CHECK_FALSE(has_id_form(prefix::kTenant, id.str()));
}

TEST_CASE("what only looks like an id is none") {
  const std::string good = "cust_01ARZ3NDEKTSV4RRFFQ69G5FAV";
  REQUIRE(has_id_form("cust", good));
  CHECK_FALSE(has_id_form("cust", ""));
  CHECK_FALSE(has_id_form("cust", "cust_"));
  CHECK_FALSE(has_id_form("cust", good.substr(1)));
  CHECK_FALSE(has_id_form("cust", good + "0"));
  CHECK_FALSE(has_id_form("cust", "cust-01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  CHECK_FALSE(has_id_form("cust", "cust_01ARZ3NDEKTSV4RRFFQ69G5FAU"));  // U is not in the alphabet
  CHECK_FALSE(has_id_form("cust", "cust_01arz3ndektsv4rrffq69g5fav"));
}

TEST_CASE("drawn from a seed, ids repeat; they still rise") {
  const auto now = later();
  draw_ulids_from(7);
  const std::vector first{new_ulid(now), new_ulid(now)};
  draw_ulids_from(8);
  CHECK(new_ulid(now) != first[0]);
  draw_ulids_from(7);
  CHECK(std::vector{new_ulid(now), new_ulid(now)} == first);
  CHECK(first[0] < first[1]);
}
