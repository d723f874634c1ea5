// Objects of ours as FlexPrice shows them, where more than one resource does.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "domain/commands.hpp"

namespace flexsync::http {

nlohmann::json customer_json(const Scope& scope, const Customer& customer);
nlohmann::json mapping_json(const Scope& scope, const Mapping& mapping);

// What is to be told to Stripe, without the bytes and the key that are sent.
nlohmann::json intent_json(const Scope& scope, const Intent& intent);

}  // namespace flexsync::http
