// What befalls deliveries: a list of exact faults for the next ones, and probabilities for all others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stripe_sim/types.hpp"
#include "stripe_sim/webhooks/delivery.hpp"

namespace stripe_sim {

// Why a delivery does not go at once; at most one of them.
struct Wait {
  int delay_ms = 0;
  std::int64_t clock_s = 0;  // of the simulator's clock
  int overtaken_by = 0;
};

// Decided once, when the event is published, so that it depends on the order of events alone, not on timing.
struct Fate {
  bool hold = false;
  bool duplicate = false;
  bool lost_on_drop = false;
  int drops = 0;
  Wait wait;
  Wait copy_wait;  // of the duplicate
};

class FaultPlan {
 public:
  explicit FaultPlan(std::uint64_t seed) : seed_(seed) {}

  // The body of POST /_sim/webhooks/faults replaces the whole plan; an empty object ends all faults.
  void set(const Json& body);
  Json state() const;

  Fate decide(const EventRef& event, const std::string& target_id);

  // The random drop of one attempt, which a retry follows.
  bool drops_attempt(const Delivery& delivery) const;

  double roll(const std::string& what) const;

 private:
  struct Next {
    std::string action;
    std::string type;  // of the event; empty: any
    bool lost = false;
    int count = 1;
    int times = 1;
    int delay_ms = 0;
    std::int64_t delay_s = 0;
  };

  static Next read_next(const Json& given);
  static Fate fate_of(const Next& next);
  Wait random_wait(const std::string& way) const;

  std::uint64_t seed_;
  double drop_ = 0;
  double duplicate_ = 0;
  double reorder_ = 0;
  double delay_ = 0;
  int delay_ms_max_ = 200;
  std::int64_t reorder_max_s_ = 0;  // 0: reordering counts deliveries instead of seconds
  std::int64_t delay_max_s_ = 0;    // 0: delays are real milliseconds
  bool lost_ = false;
  std::vector<Next> next_;
};

}  // namespace stripe_sim
