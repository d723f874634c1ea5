// Usage events as a request brings them: read in one pass, for this is the way in that carries most.
#pragma once

#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "domain/usage.hpp"

namespace flexsync::http {

// One event, or {"events": [1..1000 of them]}. An event without an id gets one, one without a time is of `now`; numbers
// and booleans among the properties become their text, digit by digit as sent. One wrong event refuses them all.
// Errors: validation_error, by "events[3].event_name".
Result<std::vector<UsageEvent>> read_usage_event(std::string_view body, int depth_max, Timestamp now);
Result<std::vector<UsageEvent>> read_usage_events(std::string_view body, int depth_max, Timestamp now);

}  // namespace flexsync::http
