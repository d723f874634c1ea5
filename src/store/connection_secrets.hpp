// The secrets of a Stripe connection: their form, and how they lie in connections.secrets:
//
//   {"secret_key": [{"key_id": "k1", "ciphertext": "<hex>"}], "webhook_secrets": [{…}, {…}]}
//
// Each is sealed for its tenant, environment, connection and field: moved to another row it does not open.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "domain/tenancy.hpp"
#include "store/secret_box.hpp"

namespace flexsync::store {

inline constexpr std::size_t kSecretBytesMax = 512;
inline constexpr std::size_t kWebhookSecretsMax = 8;

// The livemode that a key's form tells (sk_live_…, rk_test_…); nothing for a form we do not know.
std::optional<bool> livemode_of(const Secret& key);

// Nothing, or validation_error naming the field: a key in the wrong field, test and live mixed, too long, too many.
// `stored_livemode` is what the connection has so far.
Result<void> check_secrets(const StripeSecrets& secrets, std::optional<bool> stored_livemode);

// Only the fields that are given: to be merged over what is stored.
nlohmann::json seal_secrets(const SecretBox& box, const Scope& scope, const ConnectionId& id,
                            const StripeSecrets& secrets);

// internal_error when one does not open: which field, and what to do. account_id is not among them.
Result<StripeSecrets> open_secrets(const SecretBox& box, const Scope& scope, const ConnectionId& id,
                                   const std::string& stored);

}  // namespace flexsync::store
