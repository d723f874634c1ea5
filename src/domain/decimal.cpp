#include "domain/decimal.hpp"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace flexsync {

namespace {

using boost::multiprecision::cpp_int;

constexpr int kSmallDigits = 18;  // any number of so many fits std::int64_t

cpp_int power_of_ten(int exponent) {
  return boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(exponent));
}

void require_power(int exponent) {
  if (exponent < -Decimal::kPowerMax || exponent > Decimal::kPowerMax) {
    throw std::invalid_argument("10^" + std::to_string(exponent) + " is beyond what a decimal is scaled by");
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front off the text.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

bool take(std::string_view& text, std::string_view one_of) {
  const bool taken = !text.empty() && one_of.find(text.front()) != std::string_view::npos;
  text.remove_prefix(taken ? 1 : 0);
  return taken;
}

// A number as it is written: +-digits x 10^-scale, without zeros at either end; no digits is 0.
struct Written {
  bool negative = false;
  std::string digits;
  int scale = 0;
};

// "3", "-12", "+4" as far as it matters: what is beyond is beyond any limit.
std::optional<int> read_exponent(std::string_view text) {
  constexpr int beyond = 10'000;
  const bool negative = text.starts_with('-');
  if (!negative) {
    take(text, "+");
  } else {
    text.remove_prefix(1);
  }
  const auto digits = take_digits(text);
  if (digits.empty() || !text.empty()) {
    return std::nullopt;
  }
  int value = 0;
  for (const char digit : digits) {
    value = std::min(value * 10 + (digit - '0'), beyond);
  }
  return negative ? -value : value;
}

std::optional<Written> read(std::string_view text) {
  Written written;
  written.negative = take(text, "-");
  const auto whole = take_digits(text);
  const bool has_point = take(text, ".");
  const auto fraction = has_point ? take_digits(text) : std::string_view{};
  int exponent = 0;
  if (take(text, "eE")) {
    const auto read = read_exponent(text);
    if (!read) {
      return std::nullopt;
    }
    exponent = *read;
    text = {};
  }
  if (whole.empty() || (has_point && fraction.empty()) || !text.empty()) {
    return std::nullopt;
  }
  written.digits = std::string(whole) + std::string(fraction);
  written.scale = static_cast<int>(fraction.size()) - exponent;
  written.digits.erase(0, written.digits.find_first_not_of('0'));
  while (!written.digits.empty() && written.digits.back() == '0') {
    written.digits.pop_back();
    --written.scale;
  }
  return written;
}

}  // namespace

struct Decimal::Large {
  cpp_int value;
};

template <class Integer>
Decimal Decimal::normalised(Integer units, int scale) {
  while (scale > 0 && units % 10 == 0) {
    units /= 10;
    --scale;
  }
  Decimal result;
  result.scale_ = scale;
  if constexpr (std::is_same_v<Integer, std::int64_t>) {
    result.small_ = units;
  } else {
    result.large_ = std::make_shared<const Large>(Large{std::move(units)});
  }
  return result;
}

Decimal Decimal::of_large(Large units, int scale) {
  using Limits = std::numeric_limits<std::int64_t>;
  while (units.value < Limits::min() || units.value > Limits::max()) {
    if (scale == 0 || units.value % 10 != 0) {
      return normalised(std::move(units.value), scale);
    }
    units.value /= 10;
    --scale;
  }
  return normalised(static_cast<std::int64_t>(units.value), scale);
}

Decimal::Large Decimal::units(int scale) const {
  cpp_int value = large_ ? large_->value : cpp_int(small_);
  if (scale > scale_) {
    value *= power_of_ten(scale - scale_);
  }
  return {std::move(value)};
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
  // The sizes are settled on the text: no big number is built of what is refused.
  if (text.size() > kTextSizeMax) {
    return std::nullopt;
  }
  auto written = read(text);
  if (!written) {
    return std::nullopt;
  }
  auto& [negative, digits, scale] = *written;
  if (digits.empty()) {
    return Decimal();
  }
  const int size = static_cast<int>(digits.size());
  if (scale > kScaleMax || std::max(size, scale) > kDigitsMax || size - std::min(scale, 0) > kDigitsMax) {
    return std::nullopt;
  }
  if (scale < 0) {
    digits.append(static_cast<std::size_t>(-scale), '0');
    scale = 0;
  }
  if (digits.size() <= kSmallDigits) {
    std::int64_t units = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), units);
    return normalised(negative ? -units : units, scale);
  }
  const cpp_int units(digits);
  return of_large({negative ? cpp_int(-units) : units}, scale);
}

std::string Decimal::str() const {
  std::string text = large_ ? large_->value.str() : std::to_string(small_);
  if (scale_ == 0) {
    return text;
  }
  const std::size_t sign = is_negative() ? 1 : 0;
  const auto scale = static_cast<std::size_t>(scale_);
  if (text.size() - sign <= scale) {
    text.insert(sign, scale + 1 - (text.size() - sign), '0');
  }
  text.insert(text.size() - scale, 1, '.');
  return text;
}

bool Decimal::is_negative() const {
  return large_ ? large_->value < 0 : small_ < 0;
}

int Decimal::digits() const {
  const auto whole = truncated(0).str();
  return static_cast<int>(whole.size()) - (whole.starts_with('-') ? 1 : 0);
}

bool Decimal::within_limits() const {
  const auto whole_digits = truncated(0).is_zero() ? 0 : digits();
  return scale_ <= kScaleMax && whole_digits + scale_ <= kDigitsMax;
}

Decimal Decimal::truncated(int scale) const {
  require_power(scale);
  if (scale_ <= scale) {
    return *this;
  }
  cpp_int whole = units(scale_).value / power_of_ten(scale_ - scale);  // a quotient is cut towards zero
  if (scale < 0) {
    whole *= power_of_ten(-scale);
  }
  return of_large({std::move(whole)}, std::max(scale, 0));
}

Decimal Decimal::times_power_of_ten(int exponent) const {
  require_power(exponent);
  const int scale = scale_ - exponent;
  return scale >= 0 ? of_large(units(scale_), scale) : of_large(units(scale_ - scale), 0);
}

Decimal operator+(const Decimal& a, const Decimal& b) {
  std::int64_t sum = 0;
  if (!a.large_ && !b.large_ && a.scale_ == b.scale_ && !__builtin_add_overflow(a.small_, b.small_, &sum)) {
    return Decimal::normalised(sum, a.scale_);
  }
  const int scale = std::max(a.scale_, b.scale_);
  return Decimal::of_large({a.units(scale).value + b.units(scale).value}, scale);
}

Decimal operator-(const Decimal& a, const Decimal& b) {
  const int scale = std::max(a.scale_, b.scale_);
  return Decimal::of_large({a.units(scale).value - b.units(scale).value}, scale);
}

Decimal operator*(const Decimal& a, const Decimal& b) {
  return Decimal::of_large({a.units(a.scale_).value * b.units(b.scale_).value}, a.scale_ + b.scale_);
}

// Both are normalised, so equal numbers have equal parts.
bool operator==(const Decimal& a, const Decimal& b) {
  if (a.scale_ != b.scale_ || !a.large_ != !b.large_) {
    return false;
  }
  return a.large_ ? a.large_->value == b.large_->value : a.small_ == b.small_;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const int scale = std::max(a.scale_, b.scale_);
  return a.units(scale).value.compare(b.units(scale).value) <=> 0;
}

}  // namespace flexsync
