#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stripe_sim {

// The Stripe-Signature header: "t=...,v1=...", with one v1 per secret; each is HMAC-SHA256 of "t.body".
std::string signature_header(const std::vector<std::string>& secrets, std::int64_t unix_seconds,
                             const std::string& body);

}  // namespace stripe_sim
