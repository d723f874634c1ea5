// The end: both sides compared, and what it took.
#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "app/demo/comparison.hpp"
#include "app/demo/story.hpp"

namespace flexsync::app::demo {

namespace {

constexpr const char* kWebhookRoute = "/v1/webhooks/stripe/{tenant_id}/{environment_id}";

std::string milliseconds(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", seconds * 1000);
  return text.data();
}

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// The smallest bucket that holds every webhook: all of them took at most so long. Nothing when one took longer yet.
std::string upper_bound_of(const std::string& metrics, double count) {
  std::istringstream lines(metrics);
  const std::string start = std::string("flexsync_http_request_seconds_bucket{route=\"") + kWebhookRoute + "\",le=\"";
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(start)) {
      continue;
    }
    const auto bound = line.substr(start.size(), line.find('"', start.size()) - start.size());
    const auto held = std::stod(line.substr(line.rfind(' ')));
    if (held >= count && bound != "+Inf") {
      return milliseconds(std::stod(bound));
    }
  }
  return {};
}

}  // namespace

bool Story::compare_customer(const Json& customer, Table& overview) {
  const auto id = customer.at("id").get<std::string>();
  const auto mapping = world_.mapping(id);
  const auto ours = world_.customer(id);
  if (ours.is_null() || mapping.is_null() || mapping.at("entity_id") != ours.at("id")) {
    overview.add({id, ours.is_null() ? "(nothing)" : ours.at("id").get<std::string>(), "", "not mapped"});
    return false;
  }
  return judge(id, ours.at("id").get<std::string>(), compare(customer, ours), overview);
}

bool Story::judge(const std::string& id, const std::string& own_id, const std::vector<FieldPair>& pairs,
                  Table& overview) {
  const auto equal = static_cast<std::size_t>(
      std::count_if(pairs.begin(), pairs.end(), [](const auto& pair) { return pair.equal(); }));
  overview.add({id, own_id, std::to_string(equal) + " of " + std::to_string(pairs.size()),
                equal == pairs.size() ? "equal" : "different"});
  for (const auto& pair : pairs) {
    if (!pair.equal()) {
      screen_.bad(id + " " + pair.field + ": Stripe has \"" + pair.stripe + "\", Flexsync \"" + pair.flexsync + "\"");
    }
  }
  return equal == pairs.size();
}

bool Story::compare_deleted() {
  bool as_promised = true;
  for (const auto& [id, last] : deleted_) {
    const auto ours = world_.customer(id);
    const bool kept = !ours.is_null() && ours.at("status") == "published";
    if (!kept || !world_.mapping(id).is_null()) {
      screen_.bad(id + " was deleted in Stripe: our customer should stay and its mapping end");
      as_promised = false;
      continue;
    }
    for (const auto& pair : compare(last, ours)) {
      if (!pair.equal()) {
        screen_.bad(id + " " + pair.field + ": Stripe had \"" + pair.stripe + "\", Flexsync \"" + pair.flexsync + "\"");
        as_promised = false;
      }
    }
  }
  return as_promised;
}

int Story::calls_to_stripe() {
  return static_cast<int>(world_.metric("flexsync_stripe_calls_total{outcome=\"answered\"}"));
}

void Story::show_counts() {
  const auto states = world_.event_states();
  std::size_t received = 0;
  std::string became;
  for (const auto& [state, count] : states) {
    received += static_cast<std::size_t>(count);
    became += (became.empty() ? "" : ", ") + std::to_string(count) + " " + state;
  }
  const std::string labels = std::string("{route=\"") + kWebhookRoute + "\"}";
  const auto answered = world_.metric("flexsync_http_request_seconds_count" + labels);
  const auto seconds = world_.metric("flexsync_http_request_seconds_sum" + labels);
  const auto bound = upper_bound_of(world_.admin().get_text("/metrics"), answered);
  screen_.fact("webhooks", std::to_string(static_cast<std::size_t>(answered)) + " answered, the stranger's included");
  screen_.fact("events", std::to_string(received) + " stored: " + became);
  if (answered > 0) {
    screen_.fact("answer", milliseconds(seconds / answered) + " on average, the commit included" +
                               (bound.empty() ? "" : "; none took longer than " + bound));
  }
}

bool Story::both_sides_compared() {
  screen_.scene("Both sides, object by object, field by field");
  world_.settle();
  Table overview({{"in Stripe"}, {"in Flexsync"}, {"fields equal"}, {"verdict"}});
  bool equal = true;
  const auto in_stripe = world_.customers_in_stripe();
  for (const auto& customer : in_stripe) {
    equal = compare_customer(customer, overview) && equal;
  }
  for (const auto& [id, last] : deleted_) {
    const auto ours = world_.customer(id);
    overview.add({id + " (deleted)", ours.value("id", "(nothing)"), "", "kept, no longer mapped"});
  }
  equal = compare_deleted() && equal;
  const auto ours = world_.customers().size();
  if (ours != in_stripe.size() + deleted_.size()) {
    screen_.bad("Flexsync has " + plural(ours, "customer") + ", Stripe made " +
                std::to_string(in_stripe.size() + deleted_.size()));
    equal = false;
  }
  equal = compare_catalog(overview) && equal;
  screen_.table(overview);
  show_counts();
  if (equal) {
    screen_.good("Both sides are equal.");
  } else {
    screen_.bad("The two sides differ, as said above.");
  }
  return equal;
}

}  // namespace flexsync::app::demo
