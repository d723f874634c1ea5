#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;

UsageBatch batch(BatchStatus status) {
  UsageBatch batch;
  batch.id = BatchId("batch_01");
  batch.customer_id = CustomerId("cust_01");
  batch.meter_id = MeterId("meter_01");
  batch.stripe_customer_id = StripeId("cus_1");
  batch.event_name = "calls";
  batch.quantity = *Decimal::parse("12.5");
  batch.value = 12;
  batch.event_count = 3;
  batch.window = {kNow, kNow + std::chrono::hours(1)};
  batch.identifier = "fs_1";
  batch.status = status;
  batch.created_at = batch.updated_at = batch.next_attempt_at = kNow;
  return batch;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a batch is shown in FlexPrice's words and ours", "[http][usage_sync]") {
  CHECK(as_key("GET", "/v1/stripe/sync/batches/batch_01").status == 404);
  usage_queries.all_batches = {batch(BatchStatus::pending)};
  const auto reply = as_key("GET", "/v1/stripe/sync/batches/batch_01");
  REQUIRE(reply.status == 200);
  CHECK(usage_queries.batch_filter.id == "batch_01");
  CHECK(reply.json() == json{{"id", "batch_01"},
                             {"entity_id", "cust_01"},
                             {"entity_type", "customer"},
                             {"meter_id", "meter_01"},
                             {"event_type", "calls"},
                             {"aggregated_quantity", "12.5"},
                             {"sent_value", "12"},
                             {"scale", 0},
                             {"event_count", 3},
                             {"sequence", 1},
                             {"stripe_customer_id", "cus_1"},
                             {"stripe_event_id", "fs_1"},
                             {"sync_status", "pending"},
                             {"status", "pending"},
                             {"retry_count", 0},
                             {"next_attempt_at", "2026-09-21T14:13:20Z"},
                             {"error_code", ""},
                             {"error_message", ""},
                             {"window_start", "2026-09-21T14:13:20Z"},
                             {"window_end", "2026-09-21T15:13:20Z"},
                             {"synced_at", nullptr},
                             {"created_at", "2026-09-21T14:13:20Z"},
                             {"updated_at", "2026-09-21T14:13:20Z"},
                             {"tenant_id", "tenant_01"},
                             {"environment_id", "env_01"}});
}

TEST_CASE_METHOD(HttpFixture, "each status has its sync_status", "[http][usage_sync]") {
  const auto word = [&](UsageBatch one) {
    usage_queries.all_batches = {std::move(one)};
    return as_key("GET", "/v1/stripe/sync/batches/batch_01").json()["sync_status"].get<std::string>();
  };
  CHECK(word(batch(BatchStatus::sent)) == "completed");
  CHECK(word(batch(BatchStatus::carried)) == "completed");
  for (const auto status :
       {BatchStatus::rejected, BatchStatus::returned, BatchStatus::ambiguous, BatchStatus::expired}) {
    CHECK(word(batch(status)) == "failed");
  }
  auto retrying = batch(BatchStatus::pending);
  retrying.attempts = 2;
  CHECK(word(retrying) == "retrying");
  auto sending = batch(BatchStatus::pending);
  sending.first_sent_at = kNow;
  CHECK(word(sending) == "processing");
}

TEST_CASE_METHOD(HttpFixture, "batches are listed by every filter", "[http][usage_sync]") {
  usage_queries.all_batches = {batch(BatchStatus::sent)};
  usage_queries.total = 3;
  const auto reply = as_key("GET",
                            "/v1/stripe/sync/batches?status=sent&entity_id=cust_01&meter_id=meter_01&limit=1"
                            "&window_from=2026-01-01T00:00:00Z&window_to=2026-01-02T00:00:00Z");
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["pagination"] == json{{"total", 3}, {"limit", 1}, {"offset", 1}});
  const auto& filter = usage_queries.batch_filter;
  CHECK(filter.status == "sent");
  CHECK(filter.customer_id == "cust_01");
  CHECK(filter.meter_id == "meter_01");
  CHECK(filter.window_from == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(filter.window_to == parse_rfc3339("2026-01-02T00:00:00Z"));
  const auto wrong =
      as_key("GET",
             "/v1/stripe/sync/batches?status=done&sync_status=failed&limit=0&window_from=2026-01-02T00:00:00Z"
             "&window_to=2026-01-01T00:00:00Z");
  CHECK(wrong.status == 400);
  CHECK(wrong.error()["details"].size() == 4);
}

TEST_CASE_METHOD(HttpFixture, "the status counts what stands where", "[http][usage_sync]") {
  usage_queries.status.events = 100;
  usage_queries.status.events_unattributed = 1;
  usage_queries.status.events_unmetered = 2;
  usage_queries.status.rollups_open = 3;
  usage_queries.status.rollups_due = 4;
  usage_queries.status.rollups_unmapped = 5;
  usage_queries.status.batches = {{"pending", 1}, {"sent", 5}, {"carried", 1}, {"rejected", 1}, {"expired", 1}};
  usage_queries.status.last_synced_at = kNow;
  usage_queries.all_batches = {batch(BatchStatus::sent)};
  const auto reply = as_key("GET", "/v1/stripe/sync/status");
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["summary"] == json{{"total_batches", 9},
                                        {"successful_batches", 6},
                                        {"failed_batches", 2},
                                        {"pending_batches", 1},
                                        {"status_breakdown",
                                         {{"pending", 1},
                                          {"sent", 5},
                                          {"carried", 1},
                                          {"rejected", 1},
                                          {"returned", 0},
                                          {"ambiguous", 0},
                                          {"expired", 1}}}});
  CHECK(reply.json()["metrics"] == json{{"success_rate", 0.75},
                                        {"average_latency", nullptr},
                                        {"total_events", 100},
                                        {"events_per_second", nullptr},
                                        {"last_sync_time", "2026-09-21T14:13:20Z"}});
  CHECK(reply.json()["usage"]["rollups_unmapped"] == 5);
  CHECK(reply.json()["recent_batches"].size() == 1);
  usage_queries.status = {};
  CHECK(as_key("GET", "/v1/stripe/sync/status").json()["metrics"]["success_rate"].is_null());
}

TEST_CASE_METHOD(HttpFixture, "rejected batches are sent again, others are skipped", "[http][usage_sync]") {
  const auto named =
      as_key("POST", "/v1/stripe/batches/retry", R"({"batch_ids":["batch_01","batch_other","batch_02"]})");
  REQUIRE(named.status == 200);
  CHECK(named.json() == json{{"retried_count", 2}, {"skipped_count", 1}, {"batch_ids", {"batch_01", "batch_02"}}});
  CHECK(meter_commands.asked_filters.size() == 3);
  CHECK(meter_commands.asked_by == "api_key:secret_01");
  const auto filtered = as_key("POST", "/v1/stripe/batches/retry", R"({"entity_id":"cust_01","meter_id":"meter_01"})");
  CHECK(filtered.json() == json{{"retried_count", 7}, {"skipped_count", 0}, {"batch_ids", json::array()}});
  CHECK(meter_commands.asked_filters.back().customer_id == "cust_01");
  CHECK(meter_commands.asked_filters.back().meter_id == "meter_01");
}

TEST_CASE_METHOD(HttpFixture, "a retry says what it is about", "[http][usage_sync]") {
  const auto details = [&](const std::string& body) {
    const auto reply = as_key("POST", "/v1/stripe/batches/retry", body);
    CHECK(reply.status == 400);
    return reply.error()["details"];
  };
  CHECK(details("{}").contains("batch_ids"));
  CHECK(details(R"({"batch_ids":[]})").contains("batch_ids"));
  CHECK(details(R"({"batch_ids":[5]})").contains("batch_ids[0]"));
  CHECK(details(R"({"batch_ids":["a"],"max_retry_age":"24h"})").contains("max_retry_age"));
  CHECK(details(json{{"batch_ids", std::vector<std::string>(101, "a")}}.dump()).contains("batch_ids"));
  CHECK(as_key("POST", "/v1/stripe/batches/retry", "").status == 400);
  CHECK(meter_commands.asked_filters.empty());
  meter_commands.error = Error{ErrorCode::service_unavailable, "not now", {}};
  CHECK(as_key("POST", "/v1/stripe/batches/retry", R"({"batch_ids":["a"]})").status == 503);
}

TEST_CASE_METHOD(HttpFixture, "only a key of the environment sees its batches", "[http][usage_sync][auth]") {
  for (const auto& [method, path] : {std::pair<std::string, std::string>{"GET", "/v1/stripe/sync/status"},
                                     {"GET", "/v1/stripe/sync/batches"},
                                     {"GET", "/v1/stripe/sync/batches/batch_01"},
                                     {"POST", "/v1/stripe/batches/retry"}}) {
    INFO(method << " " << path);
    CHECK(send(method, path, "x-api-key: wrong\r\n", "{}").status == 401);
    CHECK(as_admin(method, path, "{}").status == 403);
  }
}

}  // namespace flexsync::test
