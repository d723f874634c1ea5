// Any text, time and number that Stripe could send, for the property tests of this folder; and what a refusal names.
#pragma once

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>

#include "domain/decimal.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe::test {

// Any text that Stripe could send: no U+0000, valid UTF-8.
inline rc::Gen<std::string> any_text() {
  return rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::inRange<char>(1, 127), rc::gen::element('"', '\\', '\n', ' ', '/', '{')));
}

inline rc::Gen<StripeId> any_id(const std::string& prefix) {
  return rc::gen::map(any_text(), [prefix](const std::string& text) { return StripeId(prefix + text); });
}

inline rc::Gen<std::map<std::string, std::string>> any_metadata() {
  return rc::gen::container<std::map<std::string, std::string>>(any_text(), any_text());
}

inline rc::Gen<Timestamp> any_time() {
  return rc::gen::map(rc::gen::inRange<std::int64_t>(0, 253402300800),
                      [](std::int64_t seconds) { return from_unix_seconds(seconds); });
}

inline rc::Gen<Decimal> any_decimal() {
  return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange(-12, 13)),
                      [](const auto& parts) { return Decimal(parts.first).times_power_of_ten(parts.second); });
}

// rapidcheck's own optional is its Maybe; ours are the standard library's.
template <class T>
rc::Gen<std::optional<T>> maybe(const rc::Gen<T>& some) {
  return rc::gen::oneOf(rc::gen::just(std::optional<T>()),
                        rc::gen::map(some, [](const T& value) { return std::optional<T>(value); }));
}

template <class T>
std::string refused_field(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::validation_error);
  REQUIRE(result.error().details.size() == 1);
  const auto& [field, why] = *result.error().details.begin();
  CHECK_THAT(result.error().message, Catch::Matchers::Contains(field) && Catch::Matchers::Contains(why));
  return field;
}

}  // namespace flexsync::stripe::test
