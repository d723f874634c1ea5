// Who is asking, and what they may ask.
#pragma once

#include <cstdint>
#include <string>

#include "domain/error.hpp"
#include "domain/ports.hpp"
#include "http/error_body.hpp"
#include "http/message.hpp"

namespace flexsync::http {

enum class Access : std::uint8_t {
  open,         // nobody is asked: webhooks (their signature decides), health
  admin,        // the admin key only
  environment,  // an API key only: it says which tenant and environment
  any,          // both: an API key its own scope, the admin key the one it names
};

// The key as `x-api-key` or `Authorization: Bearer`, checked. Errors: unauthenticated, permission_denied.
Result<Principal> authorize(Authenticator& authenticator, const Request& request, Access access);

// The scope that a request on an `any` route is about: the admin key names it, an API key has it, and may repeat but
// not change it.
Result<Scope> scope_for(const Principal& principal, const std::string& tenant_id, const std::string& environment_id);
Result<TenantId> tenant_for(const Principal& principal, const std::string& tenant_id);

}  // namespace flexsync::http
