// Stripe's event types that mean something here: the one list of them. docs/mapping.md says what each does.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace flexsync::stripe {

// Stripe's list of events takes so many names at once, and no patterns among them.
inline constexpr std::size_t kEventTypesPerListMax = 20;

std::span<const std::string_view> event_types();

// The same in groups that one list can be asked for, each type in one of them.
std::size_t event_type_groups();
std::span<const std::string_view> event_type_group(std::size_t index);

}  // namespace flexsync::stripe
