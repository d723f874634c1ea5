// How long a client wants to wait for Stripe before it is answered.
#pragma once

#include <chrono>
#include <optional>

#include "http/error_body.hpp"
#include "http/message.hpp"
#include "http/query.hpp"

namespace flexsync::http {

// `Prefer: wait` and `Prefer: wait=<seconds>` (RFC 7240; what cannot be understood there is ignored), or ?wait=true.
// At most `max`; nothing: do not wait.
std::optional<std::chrono::milliseconds> wanted_wait(const Request& request, const Query& query,
                                                     std::chrono::milliseconds max, Details& details);

}  // namespace flexsync::http
