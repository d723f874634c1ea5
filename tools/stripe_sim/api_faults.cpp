#include "stripe_sim/api_faults.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/json_fields.hpp"

namespace stripe_sim {

namespace {

constexpr int kDelayMsMax = 600'000;
constexpr int kCountMax = 1'000'000;

ApiFault read_fault(const Json& given) {
  JsonFields fields(given, "next[]");
  ApiFault fault;
  fault.method = fields.text("method", "");
  fault.path_prefix = fields.text("path_prefix", "");
  fault.status = static_cast<int>(fields.integer("status", 0, 0, 599));
  fault.reset = fields.boolean("reset", false);
  fault.delay_ms = static_cast<int>(fields.integer("delay_ms", 0, 0, kDelayMsMax));
  fault.after = fields.boolean("after", false);
  fault.count = static_cast<int>(fields.integer("count", 1, 1, kCountMax));
  const Json headers = fields.any("headers", Json::object());
  for (const auto& [name, value] : headers.items()) {
    fault.headers.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  fields.finish();
  if (fault.status != 0 && fault.status < 400) {
    throw invalid_request("next[].status must be 400 to 599: a fault is an error answer.", "status");
  }
  if (fault.status == 0 && !fault.reset && fault.delay_ms == 0) {
    throw invalid_request("A fault needs one of status, reset and delay_ms.", "next");
  }
  return fault;
}

}  // namespace

void ApiFaults::set(const Json& next) {
  std::vector<ApiFault> faults;
  for (const Json& given : next) {
    faults.push_back(read_fault(given));
  }
  const std::lock_guard lock(mutex_);
  next_ = std::move(faults);
}

std::optional<ApiFault> ApiFaults::take(const std::string& method, const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto fault = std::find_if(next_.begin(), next_.end(), [&](const ApiFault& candidate) {
    return (candidate.method.empty() || candidate.method == method) && path.starts_with(candidate.path_prefix);
  });
  if (fault == next_.end()) {
    return std::nullopt;
  }
  ApiFault taken = *fault;
  if (--fault->count == 0) {
    next_.erase(fault);
  }
  return taken;
}

std::size_t ApiFaults::remaining() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const ApiFault& fault : next_) {
    count += static_cast<std::size_t>(fault.count);
  }
  return count;
}

}  // namespace stripe_sim
