#include "stripe_sim/api_faults.hpp"

#include <algorithm>
#include <limits>

#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/random.hpp"

namespace stripe_sim {

namespace {

constexpr int kDelayMsMax = 600'000;
constexpr int kCountMax = 1'000'000;
constexpr const char* kLockTimeout = "lock_timeout";

void check_kind(ApiFault& fault, const std::string& where) {
  if (fault.kind.empty()) {
    return;
  }
  for (const char* known : {"global-rate", "global-concurrency", "endpoint-rate", "endpoint-concurrency",
                            "resource-specific", kLockTimeout}) {
    if (fault.kind == known) {
      fault.status = 429;
      return;
    }
  }
  throw invalid_request(where +
                            ".kind must be global-rate, global-concurrency, endpoint-rate, endpoint-concurrency, "
                            "resource-specific or lock_timeout, not " +
                            fault.kind + ".",
                        "kind");
}

ApiFault read_fault(const Json& given, const std::string& where, std::uint64_t seed) {
  JsonFields fields(given, where);
  ApiFault fault;
  fault.method = fields.text("method", "");
  fault.path_prefix = fields.text("path_prefix", "");
  fault.api_key = fields.text("api_key", "");
  fault.account_id = fields.text("account", "");
  fault.status = static_cast<int>(fields.integer("status", 0, 0, 599));
  fault.kind = fields.text("kind", "");
  fault.reset = fields.boolean("reset", false);
  fault.delay_ms = static_cast<int>(fields.integer("delay_ms", 0, 0, kDelayMsMax));
  fault.after = fields.boolean("after", false);
  fault.count = static_cast<int>(fields.integer("count", 1, 1, kCountMax));
  fault.probability = fields.probability("probability", 1);
  fault.seed = static_cast<std::uint64_t>(
      fields.integer("seed", static_cast<std::int64_t>(seed >> 1), 0, std::numeric_limits<std::int64_t>::max()));
  const Json headers = fields.any("headers", Json::object());
  for (const auto& [name, value] : headers.items()) {
    fault.headers.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  fields.finish();
  check_kind(fault, where);
  if (fault.status != 0 && fault.status < 400) {
    throw invalid_request(where + ".status must be 400 to 599: a fault is an error answer.", "status");
  }
  if (!fault.is_answer() && fault.delay_ms == 0) {
    throw invalid_request("A fault needs one of status, kind, reset and delay_ms.", where);
  }
  return fault;
}

// "reset", a status, a fault, or a list of faults; null and false end it.
std::vector<ApiFault> read_outage(const Json& given, std::uint64_t seed) {
  if (given.is_null() || given == Json(false)) {
    return {};
  }
  if (given == "reset") {
    return {read_fault({{"reset", true}}, "outage", seed)};
  }
  if (given.is_number_integer()) {
    return {read_fault({{"status", given}}, "outage", seed)};
  }
  std::vector<ApiFault> outages;
  for (const Json& one : given.is_array() ? given : Json::array({given})) {
    outages.push_back(read_fault(one, "outage", seed));
  }
  return outages;
}

std::set<std::string> read_keys(const Json& given) {
  std::set<std::string> keys;
  for (const Json& key : given) {
    if (!key.is_string()) {
      throw invalid_request("body.revoked_keys must be a list of API keys.", "revoked_keys");
    }
    keys.insert(key.get<std::string>());
  }
  return keys;
}

bool fits(const ApiFault& fault, const FaultTarget& target) {
  return (fault.method.empty() || fault.method == target.method) && target.path.starts_with(fault.path_prefix) &&
         (fault.api_key.empty() || fault.api_key == target.api_key) &&
         (fault.account_id.empty() || fault.account_id == target.account_id);
}

}  // namespace

StripeError ApiFault::error() const {
  if (kind.empty()) {
    return fault_error(status);
  }
  return kind == kLockTimeout ? lock_timeout() : rate_limited(kind);
}

void ApiFaults::set(const Json& body) {
  JsonFields fields(body, "body");
  const Json given = fields.any("next", Json::array());
  const Json outage = fields.any("outage", nullptr);
  const Json revoked = fields.any("revoked_keys", Json::array());
  fields.finish();
  std::vector<ApiFault> next;
  for (const Json& one : given) {
    next.push_back(read_fault(one, "next[]", seed_));
  }
  std::vector<ApiFault> outages = read_outage(outage, seed_);
  std::set<std::string> keys = read_keys(revoked);
  const std::lock_guard lock(mutex_);
  const bool all = body.empty();
  if (all || fields.has("next")) {
    next_ = std::move(next);
  }
  if (all || fields.has("outage")) {
    outages_ = std::move(outages);
    requests_seen_.clear();
  }
  if (all || fields.has("revoked_keys")) {
    revoked_keys_ = std::move(keys);
  }
}

std::optional<ApiFault> ApiFaults::take(const FaultTarget& target) {
  const std::lock_guard lock(mutex_);
  if (next_.empty() && outages_.empty()) {
    return std::nullopt;
  }
  const std::string request = target.method + " " + target.path + " " + target.idempotency_key;
  const std::string choice = request + " " + std::to_string(requests_seen_[request]++);
  const auto strikes = [&](const ApiFault& fault) {
    return fits(fault, target) && (fault.probability >= 1 || chance(fault.seed, choice) < fault.probability);
  };
  const auto fault = std::find_if(next_.begin(), next_.end(), strikes);
  if (fault != next_.end()) {
    ApiFault taken = *fault;
    if (--fault->count == 0) {
      next_.erase(fault);
    }
    return taken;
  }
  const auto outage = std::find_if(outages_.begin(), outages_.end(), strikes);
  return outage == outages_.end() ? std::nullopt : std::optional(*outage);
}

bool ApiFaults::is_revoked(const std::string& api_key) const {
  const std::lock_guard lock(mutex_);
  return revoked_keys_.contains(api_key);
}

std::size_t ApiFaults::remaining() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const ApiFault& fault : next_) {
    count += static_cast<std::size_t>(fault.count);
  }
  return count;
}

Json ApiFaults::state() const {
  const std::size_t left = remaining();
  const std::lock_guard lock(mutex_);
  return {{"left", left}, {"outages", outages_.size()}, {"revoked_keys", revoked_keys_.size()}};
}

}  // namespace stripe_sim
