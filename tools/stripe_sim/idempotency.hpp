// Idempotency keys with the rules of https://docs.stripe.com/api/idempotent_requests: the first result of a key is kept
// once execution has begun, a 500 included, and answers every later request with that key for 24 hours.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

struct KeptAnswer {
  int status = 200;
  std::shared_ptr<const std::string> body;
  Headers headers;
  std::string request_id;  // of the request that was carried out
};

// Those of one account and mode. The simulator's lock guards them.
class IdempotencyKeys {
 public:
  // The kept answer where the key has one; otherwise the key is in use until keep() or release(). Throws StripeError
  // for a key that is too long, is in use, or came first with another path or other parameters.
  std::optional<KeptAnswer> claim(const std::string& key, const std::string& path, const Json& parameters,
                                  std::int64_t now);

  void keep(const std::string& key, KeptAnswer answer);

  // Nothing was carried out: the next request with this key is the first again.
  void release(const std::string& key) { entries_.erase(key); }

 private:
  struct Entry {
    std::string path;
    std::uint64_t parameters = 0;      // a hash
    std::optional<KeptAnswer> answer;  // nothing: in use
    std::int64_t first_used = 0;
  };

  void forget_old(std::int64_t now);

  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::pair<std::int64_t, std::string>> by_age_;  // what is kept, oldest first
};

}  // namespace stripe_sim
