#include "telemetry/metrics.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <thread>
#include <vector>

using namespace flexsync;
using Catch::Matchers::Contains;

namespace {

std::size_t lines_with(const std::string& text, const std::string& part) {
  std::istringstream in(text);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) {
    count += line.find(part) != std::string::npos ? 1U : 0U;
  }
  return count;
}

}  // namespace

TEST_CASE("a metric shows under its name, help and labels") {
  Metrics metrics;
  metrics.http_requests("/v1/customers", "GET", 200).Increment(3);
  metrics.inbox_depth("tenant_1", "env_1").Set(7);
  metrics.rows_per_commit("inbox").Observe(12);

  const auto text = metrics.render();
  CHECK_THAT(text, Contains("# TYPE flexsync_http_requests_total counter"));
  CHECK_THAT(text, Contains(R"(flexsync_http_requests_total{method="GET",route="/v1/customers",status="200"} 3)"));
  CHECK_THAT(text, Contains(R"(flexsync_inbox_depth{environment="env_1",tenant="tenant_1"} 7)"));
  CHECK_THAT(text, Contains(R"(flexsync_rows_per_commit_bucket{writer="inbox",le="8"} 0)"));
  CHECK_THAT(text, Contains(R"(flexsync_rows_per_commit_bucket{writer="inbox",le="16"} 1)"));
}

TEST_CASE("asking twice for one metric gives the same one") {
  Metrics metrics;
  CHECK(&metrics.http_requests("/a", "GET", 200) == &metrics.http_requests("/a", "GET", 200));
  CHECK(&metrics.http_requests("/a", "GET", 200) != &metrics.http_requests("/a", "GET", 201));
  CHECK(&metrics.http_requests("/a", "GET", 200) != &metrics.http_requests("/a", "POST", 200));
  CHECK(&metrics.http_requests("/a", "GET", 200) != &metrics.http_requests("/b", "GET", 200));
  CHECK(&metrics.commit_seconds("inbox") == &metrics.commit_seconds("inbox"));
  CHECK(&metrics.stripe_seconds() == &metrics.stripe_seconds());
}

TEST_CASE("methods that a client makes up share one series") {
  Metrics metrics;
  for (int i = 0; i < 100; ++i) {
    metrics.http_requests("/a", "X" + std::to_string(i), 405).Increment();
  }
  CHECK_THAT(metrics.render(), Contains(R"(flexsync_http_requests_total{method="other",route="/a",status="405"} 100)"));
  CHECK(lines_with(metrics.render(), "flexsync_http_requests_total{") == 1);
}

TEST_CASE("every metric can be used at once from several threads") {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 1'000; ++i) {
        metrics.http_requests("/r" + std::to_string(i % 10), "GET", 200).Increment();
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (int i = 0; i < 10; ++i) {
    CHECK(metrics.http_requests("/r" + std::to_string(i), "GET", 200).Value() == 400);
  }
}

TEST_CASE("all families are registered from the start, each with a help") {
  Metrics metrics;
  metrics.http_requests("/", "GET", 200);
  metrics.http_seconds("/");
  metrics.http_connections("public");
  metrics.inbox_depth("t", "e");
  metrics.inbox_oldest_seconds("t", "e");
  metrics.inbox_outcomes("applied");
  metrics.dead_letters("t", "e");
  metrics.commits("inbox");
  metrics.rows_per_commit("inbox");
  metrics.commit_seconds("inbox");
  metrics.writer_queue("inbox");
  metrics.commit_failures("inbox");
  metrics.actor_live("customer_sync");
  metrics.actor_restarts("customer_sync");
  metrics.actor_messages("customer_sync");
  metrics.actor_mailbox("customer_sync");
  metrics.actor_handling_seconds("customer_sync");
  metrics.pool_connections("reads");
  metrics.pool_busy("reads");
  metrics.pool_reconnects("reads");
  metrics.stripe_calls("ok");
  metrics.stripe_seconds();
  CHECK(lines_with(metrics.render(), "# HELP flexsync_") == 22);
  CHECK(lines_with(metrics.render(), "# TYPE flexsync_") == 22);
}
