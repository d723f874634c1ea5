#include "stripe_sim/simulator.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/versions/embedded.hpp"
#include "stripe_sim/versions/render.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kEventIdCharacters = 24;
constexpr std::size_t kAccountIdCharacters = 16;

struct KeyParts {
  bool livemode = false;
  std::string account_name;
};

std::optional<KeyParts> parse_key(const std::string& api_key) {
  for (const char* prefix : {"sk_test_", "rk_test_", "sk_live_", "rk_live_"}) {
    const std::string_view head(prefix);
    if (api_key.starts_with(head) && api_key.size() > head.size()) {
      return KeyParts{head.find("live") != std::string_view::npos, api_key.substr(head.size())};
    }
  }
  return std::nullopt;
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Simulator::Simulator(const SimulatorConfig& config, Clock& clock, Dispatcher& dispatcher)
    : config_(config), clock_(clock), ids_(config.seed), silence_(config.seed), dispatcher_(dispatcher) {}

std::optional<KeyOwner> Simulator::owner_of(const std::string& api_key) const {
  const auto parts = parse_key(api_key);
  if (!parts || (!config_.api_key.empty() && api_key != config_.api_key)) {
    return std::nullopt;
  }
  const std::string id = "acct_" + random_text(config_.seed, "account " + parts->account_name, kAccountIdCharacters);
  return KeyOwner{id, id + (parts->livemode ? "/live" : "/test"), parts->livemode};
}

Account& Simulator::account_for_key(const std::string& api_key) {
  const auto owner = owner_of(api_key);
  if (!owner) {
    throw invalid_key(api_key);
  }
  const auto [account, is_new] = accounts_.try_emplace(owner->account_key);
  if (is_new) {
    account->second.id = owner->account_id;
    account->second.key = owner->account_key;
    account->second.livemode = owner->livemode;
  }
  return account->second;
}

Account& Simulator::account_for_control(const std::string& api_key) {
  if (!api_key.empty()) {
    return account_for_key(api_key);
  }
  if (!config_.api_key.empty()) {
    return account_for_key(config_.api_key);
  }
  if (accounts_.size() != 1) {
    throw invalid_request(
        "There are " + std::to_string(accounts_.size()) + " accounts so far: say which one is meant with \"api_key\".",
        "api_key");
  }
  return accounts_.begin()->second;
}

void Simulator::emit_event(Account& account, const std::string& type, const Json& object, const Json& previous,
                           const RequestOrigin& origin) {
  const auto object_id = object.find("id");
  if (silence_.swallows(type, object_id == object.end() ? std::string() : object_id->get<std::string>())) {
    return;
  }
  const auto targets = dispatcher_.targets_for(account.key, type);
  Json data{{"object", object}};
  if (!previous.is_null()) {
    data["previous_attributes"] = previous;
  }
  const auto embeds = [](const Addressee& target) {
    return !target.api_version.empty() && embeds_lists(target.api_version);
  };
  if (embeds_lists(account.api_version) || std::any_of(targets.begin(), targets.end(), embeds)) {
    data[kEmbeddedLists] = embedded_lists(account, object);
  }
  const std::string id = ids_.mint("evt_", kEventIdCharacters);
  const Json event{
      {"id", id},
      {"object", "event"},
      {"api_version", account.api_version},
      {"created", origin.moment.value_or(clock_.now())},
      {"data", std::move(data)},
      {"livemode", account.livemode},
      {"pending_webhooks", targets.size()},
      {"request", {{"id", or_null(origin.request_id)}, {"idempotency_key", or_null(origin.idempotency_key)}}},
      {"type", type}};
  const auto text = std::make_shared<const std::string>(render(event, 2));
  account.objects["event"].insert(event, text);
  dispatcher_.publish(id, type, addressed(event, text, targets));
}

// One body for each version that is asked for, so that every attempt of every delivery carries the same bytes.
std::vector<AddressedBody> addressed(const Json& event, const SharedText& newest,
                                     const std::vector<Addressee>& addressees) {
  const std::string created_in = event.at("api_version").get<std::string>();
  std::map<std::string, SharedText> bodies;
  if (created_in == kApiVersion && !event.at("data").contains(kEmbeddedLists)) {
    bodies[kApiVersion] = newest;
  }
  std::vector<AddressedBody> addressed;
  for (const Addressee& addressee : addressees) {
    const std::string& version = addressee.api_version.empty() ? created_in : addressee.api_version;
    SharedText& body = bodies[version];
    if (!body) {
      body = std::make_shared<const std::string>(render(event_at_version(event, version), 2));
    }
    addressed.push_back({addressee.target_id, body});
  }
  return addressed;
}

Json previous_attributes(const Json& before, const Json& after) {
  Json previous = Json::object();
  for (const auto& [key, value] : after.items()) {
    const auto old = before.find(key);
    if (old == before.end()) {
      previous[key] = nullptr;
    } else if (*old != value) {
      previous[key] = old->is_object() && value.is_object() ? previous_attributes(*old, value) : *old;
    }
  }
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key)) {
      previous[key] = value;
    }
  }
  return previous;
}

}  // namespace stripe_sim
