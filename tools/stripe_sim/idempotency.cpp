#include "stripe_sim/idempotency.hpp"

#include "stripe_sim/errors.hpp"
#include "stripe_sim/random.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kKeyCharactersMax = 255;
constexpr std::int64_t kKeptSeconds = 86'400;

StripeError mismatch(const std::string& what, const std::string& key) {
  return {400, "idempotency_error",
          "Keys for idempotent requests can only be used " + what + ". Try using a key other than '" + key +
              "' if you meant to execute a different request."};
}

}  // namespace

std::optional<KeptAnswer> IdempotencyKeys::claim(const std::string& key, const std::string& path,
                                                 const Json& parameters, std::int64_t now) {
  if (key.size() > kKeyCharactersMax) {
    throw invalid_request("Idempotency keys may be at most 255 characters long: yours has " +
                          std::to_string(key.size()) + ".");
  }
  forget_old(now);
  const std::uint64_t hash = mix(0, render(parameters));
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    entries_.emplace(key, Entry{path, hash, std::nullopt, now});
    return std::nullopt;
  }
  const Entry& entry = found->second;
  if (entry.path != path) {
    throw mismatch("for the same endpoint they were first used for ('" + entry.path + "' vs '" + path + "')", key);
  }
  if (entry.parameters != hash) {
    throw mismatch("with the same parameters they were first used with", key);
  }
  if (!entry.answer) {
    throw key_in_use(key);
  }
  return entry.answer;
}

void IdempotencyKeys::keep(const std::string& key, KeptAnswer answer) {
  Entry& entry = entries_.at(key);
  entry.answer = std::move(answer);
  by_age_.emplace_back(entry.first_used, key);
}

void IdempotencyKeys::forget_old(std::int64_t now) {
  while (!by_age_.empty() && by_age_.front().first + kKeptSeconds <= now) {
    entries_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

}  // namespace stripe_sim
