// application/x-www-form-urlencoded with Stripe's brackets: address[line1]=…, metadata[key]=….
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flexsync::stripe {

// In the order given. Keys come with their brackets; both halves are percent-encoded (brackets of keys stay, what a
// metadata key contains is encoded by the caller through `bracketed`).
std::string encode_form(const std::vector<std::pair<std::string, std::string>>& fields);

// "metadata", "a b" -> "metadata[a%20b]": the inner name encoded, also its own brackets.
std::string bracketed(std::string_view outer, std::string_view inner);

std::string percent_encoded(std::string_view text);

}  // namespace flexsync::stripe
