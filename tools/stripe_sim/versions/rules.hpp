// One rule for each change of Stripe's that the simulator undoes; see render.hpp.
#pragma once

#include <string_view>
#include <vector>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

struct VersionRule {
  const char* since;     // the version that made the change: older ones show the object as the rule leaves it
  const char* object;    // Stripe's name of the kind it concerns
  const char* sentence;  // what the change was
  void (*undo)(Json& object);
};

// Newest first.
const std::vector<VersionRule>& version_rules();

}  // namespace stripe_sim
