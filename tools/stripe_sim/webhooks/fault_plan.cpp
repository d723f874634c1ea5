#include "stripe_sim/webhooks/fault_plan.hpp"

#include <algorithm>
#include <limits>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/random.hpp"

namespace stripe_sim {

namespace {

constexpr int kDelayMsMax = 600'000;
constexpr int kCountMax = 1'000'000;
constexpr int kOvertakenByMax = 4;
constexpr std::int64_t kReorderSecondsMax = 86'400;
constexpr std::int64_t kDelaySecondsMax = 30 * std::int64_t{86'400};

}  // namespace

FaultPlan::Next FaultPlan::read_next(const Json& given) {
  JsonFields fields(given, "next[]");
  Next next;
  next.action = fields.text("action", "");
  next.type = fields.text("type", "");
  next.lost = fields.boolean("lost", false);
  next.count = static_cast<int>(fields.integer("count", 1, 1, kCountMax));
  next.times = static_cast<int>(fields.integer("times", 1, 1, kCountMax));
  next.delay_ms = static_cast<int>(fields.integer("delay_ms", 200, 0, kDelayMsMax));
  next.delay_s = fields.integer("delay_s", 0, 0, kDelaySecondsMax);
  fields.finish();
  const auto actions = {"drop", "duplicate", "delay", "hold", "reorder", "pass"};
  if (std::find(actions.begin(), actions.end(), next.action) == actions.end()) {
    throw invalid_request(
        "next[].action must be one of drop, duplicate, delay, hold, reorder and pass, not '" + next.action + "'.",
        "action");
  }
  return next;
}

void FaultPlan::set(const Json& body) {
  JsonFields fields(body, "body");
  FaultPlan plan(static_cast<std::uint64_t>(
      fields.integer("seed", static_cast<std::int64_t>(seed_ >> 1), 0, std::numeric_limits<std::int64_t>::max())));
  if (!fields.has("seed")) {
    plan.seed_ = seed_;
  }
  plan.drop_ = fields.probability("drop", 0);
  plan.duplicate_ = fields.probability("duplicate", 0);
  plan.reorder_ = fields.probability("reorder", 0);
  plan.delay_ = fields.probability("delay", 0);
  plan.delay_ms_max_ = static_cast<int>(fields.integer("delay_ms_max", 200, 0, kDelayMsMax));
  plan.reorder_max_s_ = fields.integer("reorder_max_s", 0, 0, kReorderSecondsMax);
  plan.delay_max_s_ = fields.integer("delay_max_s", 0, 0, kDelaySecondsMax);
  plan.lost_ = fields.boolean("lost", false);
  const Json next = fields.any("next", Json::array());
  for (const Json& given : next) {
    plan.next_.push_back(read_next(given));
  }
  fields.finish();
  *this = std::move(plan);
}

Json FaultPlan::state() const {
  Json next = Json::array();
  for (const Next& left : next_) {
    next.push_back({{"action", left.action},
                    {"type", left.type},
                    {"count", left.count},
                    {"times", left.times},
                    {"lost", left.lost},
                    {"delay_ms", left.delay_ms},
                    {"delay_s", left.delay_s}});
  }
  return {{"seed", seed_},
          {"drop", drop_},
          {"lost", lost_},
          {"duplicate", duplicate_},
          {"reorder", reorder_},
          {"reorder_max_s", reorder_max_s_},
          {"delay", delay_},
          {"delay_max_s", delay_max_s_},
          {"delay_ms_max", delay_ms_max_},
          {"next", std::move(next)}};
}

double FaultPlan::roll(const std::string& what) const {
  return chance(seed_, what);
}

Fate FaultPlan::fate_of(const Next& next) {
  Fate fate;
  fate.hold = next.action == "hold";
  fate.duplicate = next.action == "duplicate";
  fate.drops = next.action == "drop" ? next.times : 0;
  fate.lost_on_drop = next.lost;
  fate.wait.clock_s = next.action == "delay" ? next.delay_s : 0;
  fate.wait.delay_ms = next.action == "delay" && next.delay_s == 0 ? next.delay_ms : 0;
  fate.wait.overtaken_by = next.action == "reorder" ? next.times : 0;
  fate.copy_wait = fate.wait;
  return fate;
}

// Seconds are drawn from 1 to the longest: a wait of none would be no fault.
Wait FaultPlan::random_wait(const std::string& way) const {
  const auto seconds = [this, &way](const char* what, std::int64_t longest) {
    return 1 + static_cast<std::int64_t>(roll(what + way) * static_cast<double>(longest));
  };
  Wait wait;
  if (roll("delay " + way) < delay_) {
    if (delay_max_s_ > 0) {
      wait.clock_s = seconds("delay length ", delay_max_s_);
    } else {
      wait.delay_ms = static_cast<int>(roll("delay length " + way) * delay_ms_max_);
    }
  } else if (roll("reorder " + way) < reorder_) {
    if (reorder_max_s_ > 0) {
      wait.clock_s = seconds("reorder by ", reorder_max_s_);
    } else {
      wait.overtaken_by = 1 + static_cast<int>(roll("reorder by " + way) * kOvertakenByMax);
    }
  }
  return wait;
}

Fate FaultPlan::decide(const EventRef& event, const std::string& target_id) {
  const auto next = std::find_if(next_.begin(), next_.end(), [&event](const Next& candidate) {
    return candidate.type.empty() || candidate.type == event.type;
  });
  if (next != next_.end()) {
    const Fate fate = fate_of(*next);
    if (--next->count == 0) {
      next_.erase(next);
    }
    return fate;
  }
  const std::string way = event.id + " " + target_id;
  Fate fate;
  if (lost_ && roll("drop " + way) < drop_) {
    fate.lost_on_drop = true;
    fate.drops = 1;
    return fate;
  }
  fate.duplicate = roll("duplicate " + way) < duplicate_;
  fate.wait = random_wait(way);
  fate.copy_wait = random_wait(way + " copy");
  return fate;
}

bool FaultPlan::drops_attempt(const Delivery& delivery) const {
  if (drop_ <= 0 || lost_ || delivery.resent) {
    return false;
  }
  return roll("drop " + delivery.event.id + " " + delivery.target_id + " " + std::to_string(delivery.attempt) +
              (delivery.duplicate ? " copy" : "")) < drop_;
}

}  // namespace stripe_sim
