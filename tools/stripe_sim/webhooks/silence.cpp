#include "stripe_sim/webhooks/silence.hpp"

#include <limits>

#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/random.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kEventsMax = 1'000'000;
constexpr std::size_t kSwallowedMax = 100'000;

}  // namespace

void Silence::set(const Json& body) {
  JsonFields fields(body, "body");
  const std::int64_t events = fields.integer("events", 0, 0, kEventsMax);
  const std::string type = fields.text("type", "");
  const double probability = fields.probability("probability", 0);
  const bool has_seed = fields.has("seed");
  const std::int64_t seed = fields.integer("seed", 0, 0, std::numeric_limits<std::int64_t>::max());
  fields.finish();
  events_left_ = events;
  type_ = type;
  probability_ = probability;
  if (has_seed) {
    seed_ = static_cast<std::uint64_t>(seed);
    asked_ = 0;
  }
}

Json Silence::state() const {
  Json swallowed = Json::array();
  for (const Swallowed& event : swallowed_) {
    swallowed.push_back({{"type", event.type}, {"object", event.object_id}});
  }
  return {{"events", events_left_},
          {"type", type_},
          {"probability", probability_},
          {"seed", seed_},
          {"swallowed", std::move(swallowed)}};
}

bool Silence::swallows(const std::string& type, const std::string& object_id) {
  ++asked_;
  bool is_swallowed = false;
  if (events_left_ > 0 && (type_.empty() || type_ == type)) {
    --events_left_;
    is_swallowed = true;
  } else if (probability_ > 0) {
    is_swallowed = chance(seed_, "silence " + std::to_string(asked_)) < probability_;
  }
  if (is_swallowed) {
    swallowed_.push_back({type, object_id});
    if (swallowed_.size() > kSwallowedMax) {
      swallowed_.pop_front();
    }
  }
  return is_swallowed;
}

}  // namespace stripe_sim
