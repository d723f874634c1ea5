// An exact decimal number: quantities and money are never floating point.
//
// value = units / 10^scale, kept normalised (no trailing zeros behind the point), so that equal numbers are equal
// objects. Text from outside is limited, far beyond any meter's; what is computed from it is not, so that arithmetic is
// always exact (within_limits tells what may be stored).
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flexsync {

class Decimal {
 public:
  static constexpr int kDigitsMax = 60;             // before and behind the point together
  static constexpr int kScaleMax = 30;              // behind the point
  static constexpr std::size_t kTextSizeMax = 200;  // of a text that is read
  static constexpr int kPowerMax = 200;             // of ten, in truncated() and times_power_of_ten()

  Decimal() = default;
  Decimal(std::int64_t whole) : small_(whole) {}  // NOLINT: 3 is a decimal

  // "12", "-0.5", "1.20", "1e3", "2.5E-4"; nothing for anything else, or beyond the limits. No spaces, no "+", no NaN.
  static std::optional<Decimal> parse(std::string_view text);

  // "12", "-0.5", "1.2": plain digits, no exponent, no trailing zeros.
  std::string str() const;

  bool is_zero() const { return !large_ && small_ == 0; }
  bool is_negative() const;
  bool is_whole() const { return scale_ == 0; }
  int digits() const;          // of the whole part, at least 1
  bool within_limits() const;  // str() can be parsed again

  // Towards zero, in units of 10^-scale (scale may be negative: thousands): how batches are cut.
  // Both throw std::invalid_argument beyond +-kPowerMax.
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
  struct Large;  // a big integer; here only by name, since its header costs every file that includes it a second

  template <class Integer>
  static Decimal normalised(Integer units, int scale);
  static Decimal of_large(Large units, int scale);
  Large units(int scale) const;  // as a multiple of 10^-scale, not below the own scale

  std::int64_t small_ = 0;              // the units, where they fit
  std::shared_ptr<const Large> large_;  // else these; never where small_ does
  int scale_ = 0;
};

}  // namespace flexsync
