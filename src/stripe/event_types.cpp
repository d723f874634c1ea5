#include "stripe/event_types.hpp"

#include <algorithm>
#include <array>

namespace flexsync::stripe {

namespace {

constexpr std::array<std::string_view, 22> kEventTypes = {
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "product.created",
    "product.updated",
    "product.deleted",
    "price.created",
    "price.updated",
    "price.deleted",
    "plan.created",
    "plan.updated",
    "plan.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "invoice.paid",
    "invoice.payment_failed",
};

}  // namespace

std::span<const std::string_view> event_types() {
  return kEventTypes;
}

std::size_t event_type_groups() {
  return (kEventTypes.size() + kEventTypesPerListMax - 1) / kEventTypesPerListMax;
}

std::span<const std::string_view> event_type_group(std::size_t index) {
  const auto rest = event_types().subspan(index * kEventTypesPerListMax);
  return rest.first(std::min(rest.size(), kEventTypesPerListMax));
}

}  // namespace flexsync::stripe
