// What befalls deliveries: a list of exact faults for the next ones, and probabilities for all others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stripe_sim/types.hpp"
#include "stripe_sim/webhooks/delivery.hpp"

namespace stripe_sim {

// Decided once, when the event is published, so that it depends on the order of events alone, not on timing.
struct Fate {
  bool hold = false;
  bool duplicate = false;
  bool lost_on_drop = false;
  int drops = 0;
  int delay_ms = 0;
  int overtaken_by = 0;
};

class FaultPlan {
 public:
  explicit FaultPlan(std::uint64_t seed) : seed_(seed) {}

  // The body of POST /_sim/webhooks/faults replaces the whole plan; an empty object ends all faults.
  void set(const Json& body);
  Json state() const;

  Fate decide(const EventRef& event, const std::string& target_id);

  // The random drop of one attempt.
  bool drops_attempt(const Delivery& delivery) const;
  bool lost_on_drop() const { return lost_; }

  double roll(const std::string& what) const;

 private:
  struct Next {
    std::string action;
    std::string type;  // of the event; empty: any
    bool lost = false;
    int count = 1;
    int times = 1;
    int delay_ms = 0;
  };

  static Next read_next(const Json& given);
  static Fate fate_of(const Next& next);

  std::uint64_t seed_;
  double drop_ = 0;
  double duplicate_ = 0;
  double reorder_ = 0;
  double delay_ = 0;
  int delay_ms_max_ = 200;
  bool lost_ = false;
  std::vector<Next> next_;
};

}  // namespace stripe_sim
