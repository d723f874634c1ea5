// Changes that make no event, as when Stripe fails to generate one: nothing is delivered, nothing is in GET /v1/events.
// Not thread-safe: the simulator's lock guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

class Silence {
 public:
  explicit Silence(std::uint64_t seed) : seed_(seed) {}

  // {"events": 3, "type": "customer.updated"}: the next ones of that type, or of any; {"probability": 0.01, "seed": 7}:
  // any, by chance. It replaces what was there, {} ends it. Throws StripeError naming the wrong field.
  void set(const Json& body);
  Json state() const;

  // True: this one is not generated. To be asked once for each event, in order.
  bool swallows(const std::string& type, const std::string& object_id);

 private:
  struct Swallowed {
    std::string type;
    std::string object_id;
  };

  std::uint64_t seed_;
  std::uint64_t asked_ = 0;
  std::int64_t events_left_ = 0;
  std::string type_;
  double probability_ = 0;
  std::deque<Swallowed> swallowed_;  // oldest first
};

}  // namespace stripe_sim
