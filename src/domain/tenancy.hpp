// Tenants, their environments, their API keys and their connections to Stripe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/customer.hpp"
#include "domain/ids.hpp"
#include "domain/secret.hpp"
#include "domain/time.hpp"

namespace flexsync {

struct Tenant {
  TenantId id;
  std::string name;
  Timestamp created_at;
  Timestamp updated_at;
};

struct Environment {
  EnvironmentId id;
  TenantId tenant;
  std::string name;
  std::string type;  // "development" | "production", as FlexPrice has them
  Timestamp created_at;
  Timestamp updated_at;
};

struct ApiKey {
  ApiKeyId id;
  Scope scope;
  std::string name;
  std::string type;     // "private_key" | "publishable_key"
  std::string display;  // the first and last characters, to tell keys apart
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> last_used_at;
  Status status = Status::published;
  Timestamp created_at;
  Timestamp updated_at;
};

// What a new key is created from, and what is shown exactly once.
struct NewApiKey {
  Scope scope;
  std::string name;
  std::string type = "private_key";
  std::optional<Timestamp> expires_at;
};

struct IssuedApiKey {
  ApiKey record;
  Secret key;
};

// The secrets of a Stripe connection. An empty one in an update leaves the stored one as it is.
struct StripeSecrets {
  Secret publishable_key;
  Secret secret_key;                    // sk_test_…, sk_live_…, rk_…; its form says the livemode
  std::vector<Secret> webhook_secrets;  // whsec_…; several while one is rolled
  std::string account_id;               // acct_…, not a secret
};

struct Connection {
  ConnectionId id;
  Scope scope;
  std::string name;
  std::string provider_type;  // "stripe"
  std::string account_id;
  std::optional<bool> livemode;    // known from the secret key's form
  Metadata metadata;               // {default: "true"} marks the one that events without `account` belong to
  std::string sync_config = "{}";  // JSON as FlexPrice has it: {customer: {inbound, outbound}, …} and our settings
  Status status = Status::published;
  std::string created_by;
  Timestamp created_at;
  Timestamp updated_at;
};

// Who is asking.
struct Principal {
  enum class Kind : std::uint8_t { admin, api_key };
  Kind kind = Kind::api_key;
  Scope scope;                  // of an API key; empty for the admin key
  ApiKeyId api_key;             // empty for the admin key
  std::string label;            // for audit rows: "admin", "api_key:secret_…"
  std::string request_id = {};  // of the request that asks; empty for a command
};

}  // namespace flexsync
