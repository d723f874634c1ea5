// Asking Stripe for a billing meter, for whoever maps one: within the tenant's limits, waiting for the answer.
#pragma once

#include "actors/engine.hpp"
#include "store/meter_commands.hpp"

namespace flexsync::app {

// Blocks: for HTTP workers. validation_error where Stripe has no such meter, invalid_operation without a connection,
// service_unavailable where Stripe cannot be asked now.
Result<store::StripeMeter> look_up_meter(actors::Engine& engine, const Scope& scope, const StripeId& meter);

}  // namespace flexsync::app
