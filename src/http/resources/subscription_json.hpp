// A subscription as FlexPrice shows it, with its line items, and an addon's association with it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "domain/subscription.hpp"
#include "domain/tenancy.hpp"

namespace flexsync::http {

// Without what `expand` asks for: that is null.
nlohmann::json subscription_json(const Scope& scope, const Subscription& subscription);

nlohmann::json addon_association_json(const Scope& scope, const Subscription& subscription,
                                      const SubscriptionAddon& attached);

}  // namespace flexsync::http
