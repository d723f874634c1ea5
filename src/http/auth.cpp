#include "http/auth.hpp"

#include <strings.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace flexsync::http {

namespace {

constexpr std::size_t kKeySizeMax = 512;

Result<std::string> key_of(const Request& request) {
  if (!request.api_key.empty()) {
    return request.api_key;
  }
  if (request.authorization.empty()) {
    return fail(ErrorCode::unauthenticated,
                "No API key: send it in the header x-api-key or as Authorization: Bearer <key>");
  }
  constexpr std::string_view kScheme = "Bearer ";
  if (request.authorization.size() <= kScheme.size() ||
      strncasecmp(request.authorization.c_str(), kScheme.data(), kScheme.size()) != 0) {
    return fail(ErrorCode::unauthenticated, "The Authorization header must be: Bearer <key>");
  }
  const auto start = request.authorization.find_first_not_of(' ', kScheme.size());
  return start == std::string::npos ? std::string() : request.authorization.substr(start);
}

Error not_your_scope(std::string_view field) {
  return Error{ErrorCode::permission_denied,
               "The API key belongs to another " + std::string(field) + " than the request names",
               {}};
}

}  // namespace

Result<Principal> authorize(Authenticator& authenticator, const Request& request, Access access) {
  auto key = key_of(request);
  if (!key) {
    return tl::unexpected(key.error());
  }
  if (key->empty() || key->size() > kKeySizeMax) {
    return fail(ErrorCode::unauthenticated, "Invalid API key");
  }
  auto principal = authenticator.authenticate(*key);
  if (!principal) {
    return principal;
  }
  principal->request_id = request.request_id;
  const bool is_admin = principal->kind == Principal::Kind::admin;
  if (access == Access::environment && is_admin) {
    return fail(ErrorCode::permission_denied,
                "The admin key only provisions tenants, environments and API keys; use an API key of the environment "
                "(POST /v1/secrets/api/keys creates one)");
  }
  if (access == Access::admin && !is_admin) {
    return fail(ErrorCode::permission_denied, "Only the admin key may do this");
  }
  return principal;
}

Result<Scope> scope_for(const Principal& principal, const std::string& tenant_id, const std::string& environment_id) {
  if (principal.kind == Principal::Kind::api_key) {
    if (!tenant_id.empty() && tenant_id != principal.scope.tenant.str()) {
      return tl::unexpected(not_your_scope("tenant"));
    }
    if (!environment_id.empty() && environment_id != principal.scope.environment.str()) {
      return tl::unexpected(not_your_scope("environment"));
    }
    return principal.scope;
  }
  Details details;
  if (tenant_id.empty()) {
    details.emplace("tenant_id", "is required with the admin key");
  }
  if (environment_id.empty()) {
    details.emplace("environment_id", "is required with the admin key");
  }
  if (!details.empty()) {
    return tl::unexpected(validation_failed(std::move(details)));
  }
  return Scope{TenantId(tenant_id), EnvironmentId(environment_id)};
}

Result<TenantId> tenant_for(const Principal& principal, const std::string& tenant_id) {
  if (principal.kind == Principal::Kind::api_key) {
    if (!tenant_id.empty() && tenant_id != principal.scope.tenant.str()) {
      return tl::unexpected(not_your_scope("tenant"));
    }
    return principal.scope.tenant;
  }
  if (tenant_id.empty()) {
    return tl::unexpected(validation_failed({{"tenant_id", "is required with the admin key"}}));
  }
  return TenantId(tenant_id);
}

}  // namespace flexsync::http
