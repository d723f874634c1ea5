// Which of Stripe's API versions the simulator renders.
#pragma once

#include <string>
#include <vector>

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

// Oldest first; the last one is kApiVersion. Names begin with a date, so they compare as text.
const std::vector<std::string>& api_versions();

bool is_api_version(const std::string& version);

// 400 as Stripe answers it: for the Stripe-Version header, and for the parameter `param`.
StripeError invalid_version(const std::string& version);
StripeError invalid_version_param(const std::string& version, const std::string& param);

}  // namespace stripe_sim
