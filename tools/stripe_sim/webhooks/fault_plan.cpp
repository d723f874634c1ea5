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
                    {"delay_ms", left.delay_ms}});
  }
  return {{"seed", seed_},       {"drop", drop_},          {"duplicate", duplicate_},
          {"reorder", reorder_}, {"delay", delay_},        {"delay_ms_max", delay_ms_max_},
          {"lost", lost_},       {"next", std::move(next)}};
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
  fate.delay_ms = next.action == "delay" ? next.delay_ms : 0;
  fate.overtaken_by = next.action == "reorder" ? next.times : 0;
  return fate;
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
  fate.lost_on_drop = lost_;
  fate.duplicate = roll("duplicate " + way) < duplicate_;
  if (roll("delay " + way) < delay_) {
    fate.delay_ms = static_cast<int>(roll("delay length " + way) * delay_ms_max_);
  } else if (roll("reorder " + way) < reorder_) {
    fate.overtaken_by = 1 + static_cast<int>(roll("reorder by " + way) * kOvertakenByMax);
  }
  return fate;
}

bool FaultPlan::drops_attempt(const Delivery& delivery) const {
  if (drop_ <= 0 || delivery.resent) {
    return false;
  }
  return roll("drop " + delivery.event.id + " " + delivery.target_id + " " + std::to_string(delivery.attempt) +
              (delivery.duplicate ? " copy" : "")) < drop_;
}

}  // namespace stripe_sim
