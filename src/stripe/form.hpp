// application/x-www-form-urlencoded with Stripe's brackets: address[line1]=…, metadata[key]=….
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flexsync::stripe {

// In the order given. Keys are sent as they are: fixed names, or made by `bracketed`.
std::string encode_form(const std::vector<std::pair<std::string, std::string>>& fields);

// "metadata", "a b" -> "metadata[a%20b]": the inner name encoded, its own brackets, too.
std::string bracketed(std::string_view outer, std::string_view inner);

// Letters, digits, "_" and "-" as they are: what comes from outside stays one segment of a path.
std::string percent_encoded(std::string_view text);

}  // namespace flexsync::stripe
