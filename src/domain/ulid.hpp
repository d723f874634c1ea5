// ULIDs (https://github.com/ulid/spec): 48 bits of milliseconds, 80 bits of randomness, Crockford base 32,
// 26 characters. Within one process they rise strictly, so new rows go to the right edge of an index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/time.hpp"

namespace flexsync {

std::string new_ulid(Timestamp now);

// For simulations: from now on everything random in them comes from this seed, so that a run can be repeated.
void draw_ulids_from(std::uint64_t seed);

// "<prefix>_<ULID>"
std::string new_id_text(std::string_view prefix, Timestamp now);

template <class IdType>
IdType new_id(std::string_view prefix, Timestamp now) {
  return IdType{new_id_text(prefix, now)};
}

// True when the text has the form "<prefix>_<26 characters of base 32>".
bool has_id_form(std::string_view prefix, std::string_view text);

}  // namespace flexsync
