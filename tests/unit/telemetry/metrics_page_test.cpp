// docs/metrics.md and /metrics name the same metrics, and the page their labels.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "telemetry/metrics.hpp"

namespace {

// A family shows once it has a metric: one of each.
std::string one_of_each() {
  flexsync::Metrics metrics;
  metrics.http_requests("/", "GET", 200);
  metrics.http_seconds("/");
  metrics.http_connections("public");
  metrics.inbox_depth("t", "e");
  metrics.inbox_oldest_seconds("t", "e");
  metrics.inbox_outcomes("applied");
  metrics.dead_letters("t", "e");
  metrics.outbox_depth("t", "e");
  metrics.outbox_oldest_seconds("t", "e");
  metrics.outbox_refused("t", "e");
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
  metrics.stripe_calls("found");
  metrics.stripe_breaker_open("t", "e").Set(0);
  metrics.stripe_paused("t", "e").Set(0);
  metrics.stripe_seconds();
  metrics.usage_batches("sent");
  metrics.usage_batches_made();
  metrics.usage_events_matched();
  metrics.catch_up_events();
  metrics.catch_up_walked("t", "e").Set(0);
  metrics.reconcile_differences();
  metrics.reconcile_walked("t", "e").Set(0);
  return metrics.render();
}

// name -> "type, labels", of each family in the text format.
std::map<std::string, std::string> rendered() {
  std::map<std::string, std::string> families;
  std::istringstream lines(one_of_each());
  const std::regex type("# TYPE ([a-z_]+) ([a-z]+)");
  const std::regex label("[{,]([a-z]+)=");
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_match(line, found, type)) {
      current = found[1];
      families[current] = found[2];
    } else if (!line.starts_with("#") && families[current].find(',') == std::string::npos) {
      std::set<std::string> labels;
      for (std::sregex_iterator i(line.begin(), line.end(), label), end; i != end; ++i) {
        if ((*i)[1] != "le") {
          labels.insert((*i)[1]);
        }
      }
      families[current] += ",";
      for (const auto& name : labels) {
        families[current] += " " + name;
      }
    }
  }
  return families;
}

// The same of the page's tables: | `name` | type | `label` `label` | meaning |
std::map<std::string, std::string> documented() {
  std::map<std::string, std::string> families;
  std::ifstream page(std::string(FLEXSYNC_SOURCE_DIR) + "/docs/metrics.md");
  const std::regex row(R"(\| `(flexsync_[a-z_]+)` \| ([a-z]+) \| ([^|]*)\|.*)");
  const std::regex label("`([a-z]+)`");
  for (std::string line; std::getline(page, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, row)) {
      continue;
    }
    const std::string cell = found[3];
    std::set<std::string> labels;
    for (std::sregex_iterator i(cell.begin(), cell.end(), label), end; i != end; ++i) {
      labels.insert((*i)[1]);
    }
    auto& family = families[found[1]];
    family = found[2].str() + ",";
    for (const auto& name : labels) {
      family += " " + name;
    }
  }
  return families;
}

std::string as_text(const std::map<std::string, std::string>& families) {
  std::string text;
  for (const auto& [name, rest] : families) {
    text += name + " " + rest + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("docs/metrics.md names every metric with its type and labels, and no other", "[metrics]") {
  CHECK(as_text(documented()) == as_text(rendered()));
}
