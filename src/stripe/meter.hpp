// The meter event that bills a batch.
#pragma once

#include <string>

#include "domain/usage.hpp"

namespace flexsync::stripe {

// The body of create_meter_event: event name, payload (customer, value), identifier, timestamp. The same batch gives
// the same bytes.
std::string meter_event_body(const UsageBatch& batch);

}  // namespace flexsync::stripe
