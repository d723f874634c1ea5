#include "domain/entity.hpp"

#include <array>

namespace flexsync {

namespace {

constexpr std::array kNames = {"customer", "plan", "subscription"};
static_assert(kNames.size() == static_cast<std::size_t>(EntityKind::subscription) + 1);

}  // namespace

std::string to_string(EntityKind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}

std::optional<EntityKind> kind_of(const std::string& object_type) {
  if (object_type == "customer") {
    return EntityKind::customer;
  }
  if (object_type == "product" || object_type == "price") {
    return EntityKind::plan;
  }
  if (object_type == "subscription") {
    return EntityKind::subscription;
  }
  return std::nullopt;
}

}  // namespace flexsync
