// The Stripe-Signature header (https://docs.stripe.com/webhooks/signature): t=<unix seconds>,v1=<hex>,…
//
// HMAC-SHA256 over "<t>.<body>", compared in constant time. While a secret is rolled there are several v1 entries
// and several live secrets: any match is valid. Other schemes and bad hex are skipped; an element without exactly
// one "=" makes the header invalid. Unlike Stripe's SDKs a time in the future is refused as well.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "domain/error.hpp"
#include "domain/secret.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

inline constexpr std::chrono::seconds kSignatureTolerance{300};
inline constexpr std::size_t kSignatureEntriesMax = 32;  // of the header; more is not a signature but an attack

// Nothing, or validation_error with a sentence that says which rule was broken (never what would have matched).
Result<void> verify_signature(std::string_view header, std::string_view body, std::span<const Secret> secrets,
                              Timestamp now, std::chrono::seconds tolerance = kSignatureTolerance);

// The header that Stripe would send: for tests and the demo.
std::string sign(std::string_view body, const Secret& secret, Timestamp at);

}  // namespace flexsync::stripe
