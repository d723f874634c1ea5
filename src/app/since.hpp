// A time in the past, as a person writes it on the command line.
#pragma once

#include <string>

#include "domain/error.hpp"
#include "domain/time.hpp"

namespace flexsync::app {

// RFC 3339, or how long ago: "3d", "36h", "90m". validation_error: neither of them, a time to come, or one from before
// what Stripe lists (30 days).
Result<Timestamp> parse_since(const std::string& text, Timestamp now);

}  // namespace flexsync::app
