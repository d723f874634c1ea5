#include "support/stripe_model.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace flexsync::test {

namespace {

using nlohmann::json;

constexpr std::int64_t kFirstSecond = 1'790'000'000;
constexpr std::array kNames = {"", "Ada", "Bob"};

int pick(std::mt19937_64& random, int choices) {
  return std::uniform_int_distribution<int>(0, choices - 1)(random);
}

void change_something(std::mt19937_64& random, stripe::CustomerState& state) {
  const std::string value = kNames.at(static_cast<std::size_t>(pick(random, 3)));
  switch (pick(random, 6)) {
    case 0:
      state.name = value;
      break;
    case 1:
      state.email = value.empty() ? "" : value + "@example.com";
      break;
    case 2:
      state.country = value.empty() ? "" : value == "Ada" ? "ch" : "XX";  // XX is kept out
      break;
    case 3:
      state.phone = value;
      break;
    default:
      if (value.empty()) {
        state.metadata.erase("team");
      } else {
        state.metadata["team"] = value;
      }
  }
}

}  // namespace

std::vector<StripeOperation> random_history(std::mt19937_64& random, const std::string& customer_id, int events) {
  std::vector<StripeOperation> history;
  stripe::CustomerState state;
  state.id = StripeId(customer_id);
  state.metadata["external_id"] = "ext_" + customer_id;
  state.name = kNames.at(static_cast<std::size_t>(pick(random, 3)));
  auto second = kFirstSecond + pick(random, 3);
  for (int i = 0; i < events; ++i) {
    std::string type = i == 0 ? "customer.created" : "customer.updated";
    if (i > 0) {
      second += std::array{0, 0, 0, 1, 2}.at(static_cast<std::size_t>(pick(random, 5)));
      if (i + 1 == events && pick(random, 3) == 0) {
        type = "customer.deleted";
        state.deleted = true;
      } else {
        change_something(random, state);
      }
    }
    const auto id = "evt_" + customer_id + "_" + std::to_string(i);
    history.push_back({second, {StripeEventId(id), type, from_unix_seconds(second), {}, state}});
  }
  return history;
}

stripe::CustomerState current_state(const StripeOperation& last) {
  if (!last.event.state.deleted) {
    return last.event.state;
  }
  stripe::CustomerState gone;
  gone.id = last.event.state.id;
  gone.deleted = true;
  return gone;
}

std::string to_object_json(const stripe::CustomerState& state) {
  if (state.deleted && state.metadata.empty()) {
    return json{{"id", state.id.str()}, {"object", "customer"}, {"deleted", true}}.dump();
  }
  return json{{"id", state.id.str()},
              {"object", "customer"},
              {"created", kFirstSecond},
              {"name", state.name},
              {"email", state.email},
              {"phone", state.phone},
              {"address",
               {{"line1", state.line1},
                {"line2", state.line2},
                {"city", state.city},
                {"state", state.state},
                {"postal_code", state.postal_code},
                {"country", state.country}}},
              {"metadata", state.metadata}}
      .dump();
}

std::string to_event_json(const CustomerEvent& event) {
  const auto request = event.idempotency_key.empty() ? json() : json(event.idempotency_key);
  return json{{"id", event.id.str()},
              {"object", "event"},
              {"request", {{"id", nullptr}, {"idempotency_key", request}}},
              {"api_version", "2026-10-28.endive"},
              {"created", to_unix_seconds(event.created)},
              {"type", event.type},
              {"livemode", false},
              {"data", {{"object", json::parse(to_object_json(event.state))}}}}
      .dump();
}

std::string describe(const std::vector<StripeOperation>& history) {
  std::string text;
  for (const auto& [second, event] : history) {
    text += "  " + std::to_string(second) + " " + event.type + " " + stripe::to_canonical(event.state) + "\n";
  }
  return text;
}

}  // namespace flexsync::test
