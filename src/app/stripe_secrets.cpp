#include "app/stripe_secrets.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/config_value.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::validation_error, std::move(message));
}

Secret from_variable(const char* name) {
  const char* value = std::getenv(name);
  return Secret(value == nullptr ? std::string() : trimmed(value));
}

void add_separated(std::string_view text, std::vector<Secret>& secrets) {
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    if (auto one = trimmed(text.substr(0, end)); !one.empty()) {
      secrets.emplace_back(std::move(one));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Result<std::string> text_of(const Json& value, const std::string& field) {
  if (!value.is_string()) {
    return bad("the secrets' field " + field + " must be a string");
  }
  return trimmed(value.get_ref<const std::string&>());
}

Result<void> set_field(const std::string& field, const Json& value, StripeSecrets& secrets) {
  if (field == "webhook_secrets") {
    if (!value.is_array()) {
      return bad("the secrets' field webhook_secrets must be a list of strings");
    }
    for (const auto& item : value) {
      if (auto set = set_field("webhook_secret", item, secrets); !set) {
        return set;
      }
    }
    return {};
  }
  constexpr std::array<const char*, 4> kFields = {"secret_key", "publishable_key", "webhook_secret", "account_id"};
  if (std::find(kFields.begin(), kFields.end(), field) == kFields.end()) {
    return bad("the secrets have an unknown field " + field +
               "; known are secret_key, publishable_key, webhook_secret, webhook_secrets and account_id");
  }
  auto text = text_of(value, field);
  if (!text) {
    return tl::unexpected(text.error());
  }
  if (field == "secret_key") {
    secrets.secret_key = Secret(std::move(*text));
  } else if (field == "publishable_key") {
    secrets.publishable_key = Secret(std::move(*text));
  } else if (field == "webhook_secret") {
    secrets.webhook_secrets.emplace_back(std::move(*text));
  } else {
    secrets.account_id = std::move(*text);
  }
  return {};
}

}  // namespace

Result<StripeSecrets> parse_stripe_secrets(const std::string& json) {
  const auto document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return bad(R"(the secrets must be a JSON object such as {"secret_key": "sk_…", "webhook_secrets": ["whsec_…"]})");
  }
  StripeSecrets secrets;
  for (const auto& [field, value] : document.items()) {
    if (auto set = set_field(field, value, secrets); !set) {
      return tl::unexpected(set.error());
    }
  }
  return secrets;
}

Result<StripeSecrets> read_stripe_secrets(const std::string& from) {
  if (from.empty()) {
    StripeSecrets secrets;
    secrets.secret_key = from_variable("STRIPE_SECRET_KEY");
    secrets.publishable_key = from_variable("STRIPE_PUBLISHABLE_KEY");
    add_separated(from_variable("STRIPE_WEBHOOK_SECRETS").reveal(), secrets.webhook_secrets);
    return secrets;
  }
  std::ifstream file;
  if (from != "-") {
    file.open(from, std::ios::binary);
    if (!file || std::filesystem::is_directory(from)) {
      return bad("--secrets-from " + from + ": the file cannot be read");
    }
  }
  std::istream& in = from == "-" ? std::cin : file;
  std::string text(kSecretsDocumentSizeMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kSecretsDocumentSizeMax) {
    return bad("--secrets-from " + from + ": longer than 64 KiB, which no secrets are");
  }
  return parse_stripe_secrets(text);
}

}  // namespace flexsync::app
