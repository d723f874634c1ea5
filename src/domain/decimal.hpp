// An exact decimal number: quantities and money are never floating point.
//
// value = units / 10^scale, kept normalised (no trailing zeros behind the point), so that equal numbers are equal
// objects. The limits are those of PostgreSQL's numeric as our columns declare it, far beyond any meter's.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flexsync {

class Decimal {
 public:
  static constexpr int kDigitsMax = 60;  // before and behind the point together
  static constexpr int kScaleMax = 30;   // behind the point

  Decimal() = default;
  Decimal(std::int64_t whole);  // NOLINT: 3 is a decimal

  // "12", "-0.5", "1.20", "1e3", "2.5E-4"; nothing for anything else, or beyond the limits. No spaces, no "+", no NaN.
  static std::optional<Decimal> parse(std::string_view text);

  // "12", "-0.5", "1.2": plain digits, no exponent, no trailing zeros.
  std::string str() const;

  bool is_zero() const;
  bool is_negative() const;
  bool is_whole() const;
  int digits() const;  // of the whole part, at least 1

  // Towards zero, in units of 10^-scale (scale may be negative: thousands): how batches are cut.
  Decimal truncated(int scale) const;
  Decimal times_power_of_ten(int exponent) const;

  friend Decimal operator+(const Decimal& a, const Decimal& b);
  friend Decimal operator-(const Decimal& a, const Decimal& b);
  friend Decimal operator*(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b);
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  Decimal& operator+=(const Decimal& other) { return *this = *this + other; }
  Decimal& operator-=(const Decimal& other) { return *this = *this - other; }

 private:
  boost::multiprecision::cpp_int units_ = 0;
  int scale_ = 0;
};

}  // namespace flexsync
