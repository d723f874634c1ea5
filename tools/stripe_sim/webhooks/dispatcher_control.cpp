// The dispatcher's side that is called from other threads: endpoints, settings, faults, release, waiting.
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/random.hpp"
#include "stripe_sim/webhooks/dispatcher.hpp"

namespace stripe_sim {

namespace {

constexpr int kConcurrencyMax = 1'024;
constexpr int kRetryMsMax = 3'600'000;
constexpr int kTriesMax = 1'000'000;
constexpr int kTimeoutMsMax = 600'000;

// The held deliveries of the listed events, in the list's order; the others stay in `held`. An event that is not held
// is an error before anything is moved.
std::vector<Delivery> take_listed(std::vector<Delivery>& held, const std::vector<std::string>& event_ids) {
  std::vector<std::size_t> positions;
  for (const std::string& id : event_ids) {
    std::size_t at = 0;
    while (at < held.size() &&
           (held[at].event.id != id || std::find(positions.begin(), positions.end(), at) != positions.end())) {
      ++at;
    }
    if (at == held.size()) {
      throw invalid_request("No delivery of the event '" + id + "' is held.", "order");
    }
    positions.push_back(at);
  }
  std::vector<Delivery> chosen;
  chosen.reserve(positions.size());
  for (const std::size_t at : positions) {
    chosen.push_back(std::move(held[at]));
  }
  std::sort(positions.rbegin(), positions.rend());
  for (const std::size_t at : positions) {
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return chosen;
}

void shuffle(std::vector<Delivery>& deliveries, std::uint64_t seed) {
  for (std::size_t i = deliveries.size(); i > 1; --i) {
    std::swap(deliveries[i - 1], deliveries[mix(seed, "release " + std::to_string(i)) % i]);
  }
}

}  // namespace

void Dispatcher::set_target(Target target) {
  const std::lock_guard lock(mutex_);
  Target& kept = targets_[target.id];
  if (target.secrets.empty()) {
    target.secrets = kept.secrets;
  }
  kept = std::move(target);
}

void Dispatcher::remove_target(const std::string& id) {
  const std::lock_guard lock(mutex_);
  targets_.erase(id);
}

bool Dispatcher::set_secrets(const std::string& id, std::vector<std::string> secrets) {
  const std::lock_guard lock(mutex_);
  const auto target = targets_.find(id);
  if (target == targets_.end()) {
    return false;
  }
  target->second.secrets = std::move(secrets);
  return true;
}

std::vector<Addressee> Dispatcher::targets_for(const std::string& account_key, const std::string& event_type) const {
  const std::lock_guard lock(mutex_);
  std::vector<Addressee> addressees;
  for (const auto& [id, target] : targets_) {
    const auto& events = target.enabled_events;
    const bool wants = std::any_of(events.begin(), events.end(), [&event_type](const std::string& enabled) {
      return enabled == "*" || enabled == event_type;
    });
    if (target.enabled && target.account_key == account_key && wants) {
      addressees.push_back({id, target.api_version});
    }
  }
  return addressees;
}

// One that does not exist is found out when it is sent to.
Addressee Dispatcher::target(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = targets_.find(id);
  return {id, found == targets_.end() ? std::string() : found->second.api_version};
}

std::size_t Dispatcher::pending_targets(const std::string& event_id) const {
  const std::lock_guard lock(mutex_);
  const auto pending = pending_.find(event_id);
  return pending == pending_.end() ? 0 : pending->second.size();
}

void Dispatcher::set_settings(const Json& body) {
  {
    const std::lock_guard lock(mutex_);
    DeliverySettings settings = settings_;
    JsonFields fields(body, "body");
    const auto integer = [&fields](const char* name, int& value, int min, int max) {
      value = static_cast<int>(fields.integer(name, value, min, max));
    };
    integer("concurrency", settings.concurrency, 1, kConcurrencyMax);
    integer("retry_base_ms", settings.retry_base_ms, 0, kRetryMsMax);
    integer("retry_cap_ms", settings.retry_cap_ms, 0, kRetryMsMax);
    integer("tries_max", settings.tries_max, 1, kTriesMax);
    integer("timeout_ms", settings.timeout_ms, 1, kTimeoutMsMax);
    integer("reorder_wait_ms", settings.reorder_wait_ms, 0, kTimeoutMsMax);
    const std::string time = fields.text("signature_time", settings.sign_with_sim_clock ? "sim" : "real");
    fields.finish();
    if (time != "sim" && time != "real") {
      throw invalid_request("signature_time must be real or sim, not '" + time + "'.", "signature_time");
    }
    settings.sign_with_sim_clock = time == "sim";
    settings_ = settings;
  }
  sender_.wake();
}

void Dispatcher::set_faults(const Json& body) {
  const std::lock_guard lock(mutex_);
  faults_.set(body);
}

Json Dispatcher::counts() const {
  return {{"queued", queue_.waiting() + chained_},
          {"in_flight", in_flight_.size()},
          {"held", queue_.held()},
          {"waiting_for_clock", queue_.waiting_for_clock()}};
}

bool Dispatcher::idle() const {
  const auto due = queue_.first_due_unix();
  return queue_.waiting() == 0 && in_flight_.empty() && chained_ == 0 && (!due || *due > clock_.now());
}

Json Dispatcher::state() const {
  const std::lock_guard lock(mutex_);
  Json settings{{"concurrency", settings_.concurrency},
                {"retry_base_ms", settings_.retry_base_ms},
                {"retry_cap_ms", settings_.retry_cap_ms},
                {"tries_max", settings_.tries_max},
                {"timeout_ms", settings_.timeout_ms},
                {"reorder_wait_ms", settings_.reorder_wait_ms},
                {"signature_time", settings_.sign_with_sim_clock ? "sim" : "real"}};
  return {{"settings", std::move(settings)}, {"faults", faults_.state()}, {"deliveries", counts()}};
}

std::size_t Dispatcher::release_held(const ReleaseOrder& order) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Delivery>& held = queue_.held_deliveries();
    std::vector<Delivery> chosen =
        order.kind == ReleaseOrder::Kind::listed ? take_listed(held, order.event_ids) : std::exchange(held, {});
    if (order.kind == ReleaseOrder::Kind::reversed) {
      std::reverse(chosen.begin(), chosen.end());
    } else if (order.kind == ReleaseOrder::Kind::random) {
      shuffle(chosen, order.seed);
    }
    count = chosen.size();
    if (count > 0) {
      const auto chain =
          std::make_shared<Chain>(std::make_move_iterator(chosen.begin() + 1), std::make_move_iterator(chosen.end()));
      chained_ += chain->size();
      chosen.front().chain = chain;
      queue_.push(std::move(chosen.front()));
    }
  }
  sender_.wake();
  return count;
}

void Dispatcher::when_idle(int timeout_ms, IdleCallback callback) {
  {
    const std::lock_guard lock(mutex_);
    idle_waiters_.push_back(
        {std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms), std::move(callback)});
  }
  sender_.wake();
}

Json Dispatcher::log(const LogQuery& query) const {
  const std::lock_guard lock(mutex_);
  return log_.read(query);
}

Json Dispatcher::pending(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  Json data = Json::array();
  std::size_t seen = 0;
  const auto show = [&](const Delivery& delivery, const char* waits_for) {
    if (++seen <= limit) {
      data.push_back({{"number", delivery.number},
                      {"event", delivery.event.id},
                      {"type", delivery.event.type},
                      {"endpoint", delivery.target_id},
                      {"attempts", delivery.attempt},
                      {"duplicate", delivery.duplicate},
                      {"waits_for", waits_for},
                      {"due", delivery.due_unix == 0 ? Json() : Json(delivery.due_unix)}});
    }
  };
  for (const auto& [number, delivery] : in_flight_) {
    show(delivery, "answer");
  }
  queue_.visit(show);
  const auto or_null = [](const std::optional<std::int64_t>& time) { return time ? Json(*time) : Json(); };
  return {{"data", std::move(data)},
          {"has_more", seen > limit},
          {"counts", counts()},
          {"now", clock_.now()},
          {"first_due", or_null(queue_.first_due_unix())},
          {"last_due", or_null(queue_.last_due_unix())}};
}

Json Dispatcher::undelivered() const {
  const std::lock_guard lock(mutex_);
  std::map<std::uint64_t, Json> in_order;
  for (const auto& [where, what] : undelivered_) {
    in_order[what.number] = {
        {"event", where.first}, {"type", what.event_type}, {"endpoint", where.second}, {"outcome", what.outcome}};
  }
  Json data = Json::array();
  for (auto& [number, entry] : in_order) {
    data.push_back(std::move(entry));
  }
  return {{"data", std::move(data)}};
}

}  // namespace stripe_sim
