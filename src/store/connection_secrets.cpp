#include "store/connection_secrets.hpp"

#include <nlohmann/json.hpp>

#include "store/rows.hpp"

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

constexpr const char* kPublishableKey = "publishable_key";
constexpr const char* kSecretKey = "secret_key";
constexpr const char* kWebhookSecrets = "webhook_secrets";

std::string context_of(const Scope& scope, const ConnectionId& id, const std::string& field) {
  return scope.tenant.str() + "/" + scope.environment.str() + "/" + id.str() + "/" + field;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Empty when it is no hex: the secret box then says that it does not open.
std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) {
      return {};
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Json seal(const SecretBox& box, const Secret& secret, const std::string& context) {
  const auto sealed = box.encrypt(secret, context);
  return {{"key_id", sealed.key_id}, {"ciphertext", to_hex(sealed.ciphertext)}};
}

Result<std::vector<Secret>> open_field(const SecretBox& box, const Json& stored, const std::string& field,
                                       const std::string& context) {
  std::vector<Secret> opened;
  for (const auto& item : stored.value(field, Json::array())) {
    const SealedSecret sealed{item.value("key_id", ""), from_hex(item.value("ciphertext", ""))};
    auto secret = box.decrypt(sealed, context);
    if (!secret) {
      return fail(secret.error().code, "the connection's " + field + " cannot be read: " + secret.error().message);
    }
    opened.push_back(std::move(*secret));
  }
  return opened;
}

tl::unexpected<Error> refuse(const std::string& field, const std::string& why) {
  return fail(ErrorCode::validation_error, "encrypted_secret_data." + field + " " + why, {{field, why}});
}

// Secrets are easily pasted into each other's fields; Stripe's prefixes tell.
Result<void> check_form(const std::string& field, const Secret& secret, std::initializer_list<std::string_view> wrong) {
  const auto text = secret.reveal();
  if (text.size() > kSecretBytesMax) {
    return refuse(field, "is longer than " + std::to_string(kSecretBytesMax) + " bytes");
  }
  if (text.find_first_of(" \t\r\n") != std::string_view::npos || !is_storable(text)) {
    return refuse(field, "contains white space or characters that no secret has: copy it again");
  }
  for (const auto prefix : wrong) {
    if (text.starts_with(prefix)) {
      return refuse(field, "begins with " + std::string(prefix) + ", which belongs into another field");
    }
  }
  return {};
}

Result<void> check_modes(const StripeSecrets& secrets, std::optional<bool> stored_livemode) {
  const auto of_secret = livemode_of(secrets.secret_key);
  const auto of_publishable = livemode_of(secrets.publishable_key);
  const auto expected = secrets.secret_key.empty() ? stored_livemode : of_secret;
  if (of_publishable && expected && *of_publishable != *expected) {
    return refuse(kPublishableKey, std::string("is for ") + (*of_publishable ? "live" : "test") +
                                       " mode, the secret key for " + (*expected ? "live" : "test") + " mode");
  }
  return {};
}

}  // namespace

std::optional<bool> livemode_of(const Secret& key) {
  const auto text = key.reveal();
  for (const std::string_view prefix : {"sk_", "rk_", "pk_"}) {
    if (text.starts_with(prefix)) {
      const auto rest = text.substr(prefix.size());
      if (rest.starts_with("live_") || rest.starts_with("org_live_")) {
        return true;
      }
      if (rest.starts_with("test_") || rest.starts_with("org_test_")) {
        return false;
      }
    }
  }
  return std::nullopt;
}

Result<void> check_secrets(const StripeSecrets& secrets, std::optional<bool> stored_livemode) {
  if (auto valid = check_form(kSecretKey, secrets.secret_key, {"pk_", "whsec_"}); !valid) {
    return valid;
  }
  if (auto valid = check_form(kPublishableKey, secrets.publishable_key, {"sk_", "rk_", "whsec_"}); !valid) {
    return valid;
  }
  if (secrets.webhook_secrets.size() > kWebhookSecretsMax) {
    return refuse(kWebhookSecrets, "has more than " + std::to_string(kWebhookSecretsMax) + " entries");
  }
  for (const auto& secret : secrets.webhook_secrets) {
    if (secret.empty()) {
      return refuse(kWebhookSecrets, "has an empty entry");
    }
    if (auto valid = check_form(kWebhookSecrets, secret, {"sk_", "rk_", "pk_"}); !valid) {
      return valid;
    }
  }
  if (!is_storable(secrets.account_id) || secrets.account_id.size() > kSecretBytesMax) {
    return refuse("account_id", "is not a Stripe account id (acct_…)");
  }
  return check_modes(secrets, stored_livemode);
}

Json seal_secrets(const SecretBox& box, const Scope& scope, const ConnectionId& id, const StripeSecrets& secrets) {
  auto sealed = Json::object();
  if (!secrets.publishable_key.empty()) {
    sealed[kPublishableKey] = Json::array({seal(box, secrets.publishable_key, context_of(scope, id, kPublishableKey))});
  }
  if (!secrets.secret_key.empty()) {
    sealed[kSecretKey] = Json::array({seal(box, secrets.secret_key, context_of(scope, id, kSecretKey))});
  }
  for (const auto& secret : secrets.webhook_secrets) {
    sealed[kWebhookSecrets].push_back(seal(box, secret, context_of(scope, id, kWebhookSecrets)));
  }
  return sealed;
}

Result<StripeSecrets> open_secrets(const SecretBox& box, const Scope& scope, const ConnectionId& id,
                                   const std::string& stored) {
  const auto json = Json::parse(stored, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return fail(ErrorCode::internal_error, "the connection's stored secrets are no JSON object: set them again");
  }
  StripeSecrets secrets;
  const auto read = [&](const char* field) { return open_field(box, json, field, context_of(scope, id, field)); };
  auto publishable = read(kPublishableKey);
  auto secret = read(kSecretKey);
  auto webhook = read(kWebhookSecrets);
  for (const auto* opened : {&publishable, &secret, &webhook}) {
    if (!*opened) {
      return tl::unexpected(opened->error());
    }
  }
  if (!publishable->empty()) {
    secrets.publishable_key = std::move(publishable->front());
  }
  if (!secret->empty()) {
    secrets.secret_key = std::move(secret->front());
  }
  secrets.webhook_secrets = std::move(*webhook);
  return secrets;
}

}  // namespace flexsync::store
