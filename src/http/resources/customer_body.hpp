// A customer as a request describes it: FlexPrice's fields and limits, and Stripe's where its are narrower.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "domain/commands.hpp"
#include "http/error_body.hpp"

namespace flexsync::http {

// What is wrong goes into `details`, by field.
CreateCustomer read_new_customer(const nlohmann::json& body, Details& details);
UpdateCustomer read_customer_update(const nlohmann::json& body, Details& details);

// Metadata that a client read with a customer comes back with the keys that only we write. They may be there with the
// value they have, and are then taken out; another value is an entry in `details`.
void take_reserved_out(Metadata& wanted, const Metadata& stored, Details& details);

}  // namespace flexsync::http
