// Strong identifiers: a CustomerId is never a TenantId by accident.
//
// Local ids are "<prefix>_<ULID>" as in FlexPrice (cust_01H…); ids that Stripe gives are kept as they come.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace flexsync {

template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}

  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, Id& id) {
    return f(id.value_);
  }

 private:
  std::string value_;
};

using TenantId = Id<struct TenantTag>;
using EnvironmentId = Id<struct EnvironmentTag>;
using CustomerId = Id<struct CustomerTag>;
using PlanId = Id<struct PlanTag>;
using AddonId = Id<struct AddonTag>;
using SubscriptionId = Id<struct SubscriptionTag>;
using MappingId = Id<struct MappingTag>;
using ConnectionId = Id<struct ConnectionTag>;
using ApiKeyId = Id<struct ApiKeyTag>;
using StripeId = Id<struct StripeTag>;          // cus_…, prod_…, sub_…
using StripeEventId = Id<struct EventTag>;      // evt_…
using UsageEventId = Id<struct UsageEventTag>;  // the caller's, or event_…
using MeterId = Id<struct MeterTag>;
using MeterMappingId = Id<struct MeterMappingTag>;
using BatchId = Id<struct BatchTag>;
using IntentId = Id<struct IntentTag>;
using RequestId = Id<struct RequestTag>;  // X-Request-ID

// The prefixes of local ids, as FlexPrice has them.
namespace prefix {
inline constexpr std::string_view kTenant = "tenant";
inline constexpr std::string_view kEnvironment = "env";
inline constexpr std::string_view kCustomer = "cust";
inline constexpr std::string_view kPlan = "plan";
inline constexpr std::string_view kAddon = "addon";
inline constexpr std::string_view kSubscription = "subs";
inline constexpr std::string_view kMapping = "eim";
inline constexpr std::string_view kConnection = "conn";
inline constexpr std::string_view kApiKey = "secret";
inline constexpr std::string_view kRequest = "req";
inline constexpr std::string_view kIntent = "intent";
inline constexpr std::string_view kUsageEvent = "event";
inline constexpr std::string_view kMeter = "meter";
inline constexpr std::string_view kMeterMapping = "mmap";
inline constexpr std::string_view kBatch = "batch";
}  // namespace prefix

// A tenant's environment: what every tenant row, key and actor is scoped by.
struct Scope {
  TenantId tenant;
  EnvironmentId environment;

  friend bool operator==(const Scope&, const Scope&) = default;
  friend auto operator<=>(const Scope&, const Scope&) = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, Scope& scope) {
    return f(scope.tenant, scope.environment);
  }
};

}  // namespace flexsync

template <class Tag>
struct std::hash<flexsync::Id<Tag>> {
  std::size_t operator()(const flexsync::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};

template <>
struct std::hash<flexsync::Scope> {
  std::size_t operator()(const flexsync::Scope& scope) const noexcept {
    return std::hash<std::string>{}(scope.tenant.str()) * 31 + std::hash<std::string>{}(scope.environment.str());
  }
};
