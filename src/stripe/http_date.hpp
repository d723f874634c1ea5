// The Date header's form, "Sun, 06 Nov 1994 08:49:37 GMT": the one that RFC 9110 (5.6.7) lets a server send.
#pragma once

#include <optional>
#include <string_view>

#include "domain/time.hpp"

namespace flexsync::stripe {

std::optional<Timestamp> parse_http_date(std::string_view text);

}  // namespace flexsync::stripe
