// The secrets of a Stripe connection for `connection set`: from the environment, a file or standard input, never from
// the arguments, which every user of the machine can read.
#pragma once

#include <map>
#include <string>

#include "domain/error.hpp"
#include "domain/tenancy.hpp"

namespace flexsync::app {

inline constexpr std::size_t kSecretsDocumentSizeMax = 65'536;  // bytes

// {"secret_key", "publishable_key", "webhook_secret" or "webhook_secrets": […], "account_id"}; all may be missing. An
// error names the field, never what it holds.
Result<StripeSecrets> parse_stripe_secrets(const std::string& json);

// `from`: a file, "-" for standard input, or empty for STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and
// STRIPE_WEBHOOK_SECRETS (several separated by commas).
Result<StripeSecrets> read_stripe_secrets(const std::string& from);

}  // namespace flexsync::app
