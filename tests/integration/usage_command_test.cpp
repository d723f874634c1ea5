// `flexsync usage`, the real program over a real PostgreSQL, with an imposter in Stripe's place.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "integration/usage_world.hpp"
#include "stripe/call.hpp"
#include "support/http_imposter.hpp"

using namespace flexsync;
using namespace flexsync::testing;
using flexsync::test::HttpImposter;
using Json = nlohmann::json;

namespace {

constexpr const char* kSecretKey = "sk_test_verysecretkey";
const std::chrono::hours kHour{1};

std::string read_all(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;

  Json json() const { return Json::parse(out); }
  bool is_one_error_line() const {
    return out.empty() && err.starts_with("flexsync: ") && err.find('\n') == err.size() - 1;
  }
};

// Two hours of usage, 3 and 4, closed and sent; one event of nobody and one that no meter has.
struct AuditWorld : UsageWorld {
  AuditWorld() {
    REQUIRE(store(scope, {usage_event("e1", "ext_1", kNoon, "1"), usage_event("e2", "ext_1", kNoon, "2"),
                          usage_event("e3", "ext_1", kNoon + kHour, "4"), usage_event("e4", "stranger"),
                          usage_event("e5", "ext_1", kNoon, "1", "other")}));
    REQUIRE(close(scope, kNoon + 3 * kHour));
    batches = pending(scope, kNoon + 3 * kHour);
    REQUIRE(batches.size() >= 1);
    REQUIRE((*this)("connection set --name Main", "STRIPE_SECRET_KEY=" + std::string(kSecretKey)).code == 0);
  }

  // A customer and meter has one batch under way at a time, so the next one comes when this one is booked.
  void send_all() {
    for (auto left = pending(scope, kNoon + 3 * kHour); !left.empty(); left = pending(scope, kNoon + 3 * kHour)) {
      for (const auto& batch : left) {
        REQUIRE(book(scope, batch, BatchStatus::sent));
      }
    }
  }

  Outcome operator()(const std::string& command, const std::string& environment = "") {
    const auto api = stripe ? stripe->url() : std::string("http://127.0.0.1:1");
    const auto line =
        "env -u STRIPE_SECRET_KEY -u STRIPE_WEBHOOK_SECRETS FLEXSYNC_DATA_DIR=" + directory.path().string() +
        " FLEXSYNC_DATABASE_URL='" + database.url() + "' FLEXSYNC_STRIPE_API_BASE=" + api + " " + environment +
        " " FLEXSYNC_BINARY_DIR "/flexsync " + command + " --tenant " + scope.tenant.str() + " --environment " +
        scope.environment.str() + " >" + (directory / "out").string() + " 2>" + (directory / "err").string();
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(directory / "out"), read_all(directory / "err")};
  }

  std::string summaries(Timestamp to, const std::string& after = "") const {
    return stripe::meter_summaries(mapping.stripe_meter_id, StripeId{"cus_1"}, kNoon, to, after).path +
           "&value_grouping_window=hour";
  }

  static std::string page(const std::vector<std::pair<Timestamp, std::string>>& hours, bool has_more = false) {
    std::string data;
    for (const auto& [start, value] : hours) {
      const auto seconds = to_unix_seconds(start);
      data += (data.empty() ? "" : ",") + std::string(R"({"id":"mtrusg_)") + std::to_string(seconds) +
              R"(","start_time":)" + std::to_string(seconds) + R"(,"end_time":)" + std::to_string(seconds + 3600) +
              R"(,"aggregated_value":)" + value + "}";
    }
    return R"({"object":"list","data":[)" + data + R"(],"has_more":)" + (has_more ? "true" : "false") + "}";
  }

  void stripe_has(const std::string& first, const std::string& second) {
    stripe->when("GET", summaries(kNoon + 2 * kHour)).then_reply(200, page({{kNoon + kHour, second}, {kNoon, first}}));
  }

  Scope scope = new_owned_scope();
  std::string customer = new_customer(scope, "ext_1", "cus_1");
  Meter meter = new_meter(scope);
  MeterMapping mapping = map_meter(scope, meter.id);
  std::vector<UsageBatch> batches;
  TemporaryDirectory directory;
  std::unique_ptr<HttpImposter> stripe = std::make_unique<HttpImposter>();
};

}  // namespace

TEST_CASE("usage status counts what stands where", "[usage_command]") {
  AuditWorld world;
  const auto before = world("usage status --json");
  REQUIRE(before.code == 0);
  const auto status = before.json();
  CHECK(status.at("events") == 5);
  CHECK(status.at("events_unattributed") == 1);
  CHECK(status.at("events_unmetered") == 1);
  CHECK(status.at("batches").at("pending") == 2);
  CHECK_FALSE(status.contains("last_synced_at"));
  CHECK(world("usage status").out.find("never") != std::string::npos);
  world.send_all();
  const auto after = world("usage status --json").json();
  CHECK(after.at("batches").at("sent") == 2);
  CHECK(after.at("last_synced_at") == to_rfc3339(world.clock.now()));
}

TEST_CASE("usage audit: all is equal, over all pages", "[usage_command]") {
  AuditWorld world;
  world.send_all();
  const auto whole = kNoon + 2 * kHour;
  world.stripe->when("GET", world.summaries(whole)).then_reply(200, world.page({{kNoon + kHour, "4.0"}}, true));
  world.stripe->when("GET", world.summaries(whole, "mtrusg_" + std::to_string(to_unix_seconds(kNoon + kHour))))
      .then_reply(200, world.page({{kNoon, "3"}}));
  const auto people = world("usage audit");
  INFO(people.out << people.err);
  CHECK(people.code == 0);
  CHECK(people.out.find("equal: what was ingested, counted, batched, sent and accepted by Stripe\n") !=
        std::string::npos);
  const auto audited = world("usage audit --json");
  REQUIRE(audited.code == 0);
  const auto proof = audited.json();
  CHECK(proof.at("equal") == true);
  CHECK(proof.at("settled") == true);
  CHECK(proof.at("stripe") == Json({{"accounts", 1},
                                    {"hours_equal", 2},
                                    {"hours_unsettled", 0},
                                    {"hours_different", 0},
                                    {"sent", "7"},
                                    {"accepted", "7"}}));
  const auto& totals = proof.at("totals");
  CHECK(totals.at("ingested") == 5);
  CHECK(totals.at("unattributed") == 1);
  CHECK(totals.at("unmetered") == 1);
  CHECK(totals.at("counted") == 3);
  CHECK(totals.at("batched") == 3);
  CHECK(totals.at("batches").at("sent") == Json({{"batches", 2}, {"events", 3}}));
  for (const auto& request : world.stripe->requests()) {
    CHECK(request.headers.at("authorization") == "Bearer " + std::string(kSecretKey));
  }
  CHECK((people.out + people.err + audited.out + audited.err).find(kSecretKey) == std::string::npos);
}

TEST_CASE("usage audit names the first difference in the books", "[usage_command]") {
  AuditWorld world;
  world.send_all();
  const auto where = in_scope(world.scope);
  SECTION("a rollup that is not its events") {
    world.sql("UPDATE usage_rollups SET quantity = quantity + 1" + where);
    const auto outcome = world("usage audit --json");
    CHECK(outcome.code == 1);
    const auto found = outcome.json().at("first_difference");
    CHECK(found.at("what") == "events and rollup");
    CHECK(found.at("customer_id") == world.customer);
    CHECK(found.at("meter_id") == world.meter.id.str());
    CHECK(found.at("from") == to_rfc3339(kNoon));
    CHECK(found.at("expected") == "3");
    CHECK(found.at("found") == "4");
    CHECK(found.at("found_events") == 2);
  }
  SECTION("a batch that is not what its rollup says, for people") {
    world.sql("UPDATE stripe_sync_batches SET quantity = quantity + 2, value = value + 2" + where +
              " AND window_start = to_timestamp(" + std::to_string(to_unix_seconds(kNoon + kHour)) + ")");
    const auto outcome = world("usage audit");
    CHECK(outcome.code == 1);
    for (const auto& text : {std::string("DIFFERENCE"), std::string("rollup and batches"), world.customer,
                             to_rfc3339(kNoon + kHour), std::string("4 of 1 events"), std::string("6 of 1 events")}) {
      CHECK(outcome.out.find(text) != std::string::npos);
    }
  }
  SECTION("a value that is not what its batch holds") {
    world.sql("UPDATE stripe_sync_batches SET value = value - 1" + where);
    const auto outcome = world("usage audit --json --no-stripe");
    CHECK(outcome.code == 1);
    const auto found = outcome.json().at("first_difference");
    CHECK(found.at("what") == "batches and values");
    CHECK(found.at("expected") == "7");
    CHECK(found.at("found") == "5");
  }
  CHECK(world.stripe->requests().empty());
}

TEST_CASE("usage audit names the first difference from Stripe", "[usage_command]") {
  AuditWorld world;
  world.send_all();
  const auto [first, second] = GENERATE(table<std::string, std::string>({{"3", "4.000000000000001"}, {"3", "0"}}));
  world.stripe_has(first, second);
  const auto outcome = world("usage audit --json");
  CHECK(outcome.code == 1);
  CHECK(outcome.json().at("equal") == false);
  const auto found = outcome.json().at("first_difference");
  CHECK(found.at("what") == "sent and accepted by Stripe");
  CHECK(found.at("customer_id") == world.customer);
  CHECK(found.at("stripe_customer_id") == "cus_1");
  CHECK(found.at("stripe_meter_id") == world.mapping.stripe_meter_id.str());
  CHECK(found.at("from") == to_rfc3339(kNoon + kHour));
  CHECK(found.at("expected") == "4");
  CHECK(found.at("found") == second);
  CHECK(outcome.json().at("stripe").at("hours_equal") == 1);
  CHECK(outcome.json().at("stripe").at("hours_different") == 1);
  CHECK(world("usage audit").out.find("DIFFERENCE") != std::string::npos);
  CHECK(world("usage audit --no-stripe").code == 0);
}

TEST_CASE("usage audit: what is not settled is named and no difference", "[usage_command]") {
  AuditWorld world;
  SECTION("never sent: Stripe has nothing to be asked for") {
    const auto outcome = world("usage audit --json");
    CHECK(outcome.code == 0);
    CHECK(outcome.json().at("settled") == false);
    CHECK(outcome.json().at("unsettled").at("total") == 2);
    CHECK(outcome.json().at("unsettled").at("items").at(0).at("status") == "pending");
    CHECK(world.stripe->requests().empty());
  }
  SECTION("ambiguous: Stripe may have it, or not, but nothing else") {
    REQUIRE(world.book(world.scope, world.batches.front(), BatchStatus::ambiguous));
    const auto [value, code] = GENERATE(table<std::string, int>({{"0", 0}, {"3", 0}, {"5", 1}}));
    world.stripe->when("GET", world.summaries(kNoon + kHour)).then_reply(200, world.page({{kNoon, value}}));
    const auto outcome = world("usage audit");
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == code);
    CHECK(outcome.out.find(world.batches.front().id.str()) != std::string::npos);
  }
}

TEST_CASE("usage audit: Stripe cannot be asked", "[usage_command]") {
  AuditWorld world;
  world.send_all();
  std::string reason;
  SECTION("away") {
    world.stripe.reset();
    reason = "127.0.0.1:1";
  }
  SECTION("the key was revoked") {
    world.stripe->when("GET", world.summaries(kNoon + 2 * kHour)).then_reply(401, R"({"error":{"message":"no"}})");
    reason = "secret key is not accepted";
  }
  SECTION("the customer is gone") {
    world.stripe->when("GET", world.summaries(kNoon + 2 * kHour))
        .then_reply(404, R"({"error":{"code":"resource_missing","message":"No such customer: 'cus_1'"}})");
    reason = "No such customer";
  }
  SECTION("there is no connection") {
    world.sql("DELETE FROM connections" + in_scope(world.scope));
    reason = "connection";
  }
  const auto outcome = world("usage audit --json");
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 3);
  CHECK(outcome.is_one_error_line());
  CHECK(outcome.err.find(reason) != std::string::npos);
  CHECK(outcome.err.find(kSecretKey) == std::string::npos);
}

TEST_CASE("usage commands do not call an environment that is none equal", "[usage_command]") {
  AuditWorld world;
  world.scope.environment = EnvironmentId{"env_mistyped"};
  for (const std::string command : {"usage status", "usage audit", "usage audit --no-stripe"}) {
    const auto outcome = world(command);
    CHECK(outcome.code == 1);
    CHECK(outcome.is_one_error_line());
  }
}
