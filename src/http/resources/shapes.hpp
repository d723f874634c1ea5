// Objects of ours as FlexPrice shows them, where more than one resource does.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "domain/commands.hpp"
#include "domain/plan.hpp"

namespace flexsync::http {

// Without what `expand` asks for: that is null.
nlohmann::json plan_json(const Scope& scope, const Plan& plan);
nlohmann::json addon_json(const Scope& scope, const Addon& addon);

nlohmann::json customer_json(const Scope& scope, const Customer& customer);
nlohmann::json mapping_json(const Scope& scope, const Mapping& mapping);

// What is to be told to Stripe, without the bytes and the key that are sent.
nlohmann::json intent_json(const Scope& scope, const Intent& intent);

}  // namespace flexsync::http
