#include "domain/decimal.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>

using namespace flexsync;

namespace {

Decimal dec(const std::string& text) {
  const auto value = Decimal::parse(text);
  CAPTURE(text);
  REQUIRE(value.has_value());
  return *value;
}

std::string digits(int count) {
  return *rc::gen::container<std::string>(static_cast<std::size_t>(count), rc::gen::inRange('0', ':'));
}

// Any decimal within the limits, small ones more often.
Decimal any_decimal() {
  const bool large = *rc::gen::arbitrary<bool>();
  const auto text = (*rc::gen::arbitrary<bool>() ? "-" : "") + digits(*rc::gen::inRange(1, large ? 31 : 7)) + "." +
                    digits(*rc::gen::inRange(1, large ? 30 : 5));
  return Decimal::parse(text).value();
}

}  // namespace

TEST_CASE("a decimal prints plainly and without trailing zeros, however it was written") {
  CHECK(dec("12").str() == "12");
  CHECK(dec("0012").str() == "12");
  CHECK(dec("-0.5").str() == "-0.5");
  CHECK(dec("1.20").str() == "1.2");
  CHECK(dec("-0.000").str() == "0");
  CHECK(dec("1e3").str() == "1000");
  CHECK(dec("2.5E-4").str() == "0.00025");
  CHECK(dec("1200e-2").str() == "12");
  CHECK(dec("-1.5e+1").str() == "-15");
  CHECK(dec("0e1000000000").str() == "0");
  CHECK(dec("9223372036854775808").str() == "9223372036854775808");
  CHECK(dec("-9223372036854775808").str() == "-9223372036854775808");
  CHECK(Decimal(std::numeric_limits<std::int64_t>::min()).str() == "-9223372036854775808");
  CHECK(dec("123456789012345678901234567890.000000000000000000000000000001").str() ==
        "123456789012345678901234567890.000000000000000000000000000001");
}

TEST_CASE("what is not a decimal is not read") {
  const auto* text = GENERATE("", "-", "+1", " 1", "1 ", "1.", ".5", "1e", "1e+", "1e1.5", "e1", "--1", "1,5", "0x10",
                              "NaN", "inf", "1.2.3", "1_000", "1e5x", "1e-", "1e--1");
  CAPTURE(text);
  CHECK_FALSE(Decimal::parse(text).has_value());
  CHECK_FALSE(Decimal::parse(std::string_view("1\0", 2)).has_value());
}

TEST_CASE("the limits of what is read") {
  CHECK(Decimal::parse(std::string(60, '9')).has_value());
  CHECK_FALSE(Decimal::parse(std::string(61, '9')).has_value());
  CHECK(Decimal::parse("1e59").has_value());
  CHECK_FALSE(Decimal::parse("1e60").has_value());
  CHECK(Decimal::parse("1e-30").has_value());
  CHECK_FALSE(Decimal::parse("1e-31").has_value());
  CHECK(Decimal::parse(std::string(30, '9') + "." + std::string(30, '9')).has_value());
  CHECK_FALSE(Decimal::parse(std::string(31, '9') + "." + std::string(30, '9')).has_value());
  CHECK(Decimal::parse(std::string(100, '0') + "1").has_value());
}

TEST_CASE("no big number is built of a text that is refused") {
  CHECK_FALSE(Decimal::parse(std::string(32U << 20U, '9')).has_value());
  CHECK_FALSE(Decimal::parse("0." + std::string(32U << 20U, '0') + "1").has_value());
  CHECK_FALSE(Decimal::parse("1e1000000000").has_value());
  CHECK_FALSE(Decimal::parse("1e-1000000000").has_value());
  CHECK_FALSE(Decimal::parse("1e99999999999999999999999999").has_value());
}

TEST_CASE("equal numbers are equal, whatever they were written or computed as") {
  CHECK(dec("1.0") == Decimal(1));
  CHECK(dec("0.1") + dec("0.2") == dec("0.3"));
  CHECK(dec("9223372036854775807") + 1 == dec("9223372036854775808"));
  CHECK(dec("9223372036854775808") - 1 == dec("9223372036854775807"));
  CHECK(dec("92233720368547758.08") + dec("0.02") == dec("92233720368547758.1"));
  CHECK(dec("0.1") * 10 == Decimal(1));
  CHECK(dec("-0.5") < Decimal(0));
  CHECK(dec("1e20") > dec("99999999999999999999.9"));
  CHECK(dec("-1e20") < dec("-1"));
}

TEST_CASE("a decimal knows its sign, its wholeness and the digits of its whole part") {
  CHECK(Decimal().is_zero());
  CHECK(dec("-0.1").is_negative());
  CHECK(dec("-1e30").is_negative());
  CHECK_FALSE(Decimal().is_negative());
  CHECK(dec("5.0").is_whole());
  CHECK_FALSE(dec("5.1").is_whole());
  CHECK(Decimal().digits() == 1);
  CHECK(dec("-0.25").digits() == 1);
  CHECK(dec("-999.5").digits() == 3);
  CHECK(dec("1e59").digits() == 60);
}

TEST_CASE("what is computed may leave the limits, and says so") {
  CHECK((dec("1e59") * 9).within_limits());
  CHECK_FALSE((dec("1e59") * 10).within_limits());
  CHECK_FALSE((dec("1e-30") * dec("0.1")).within_limits());
  CHECK(dec("1e30") * dec("1e30") == Decimal(1).times_power_of_ten(60));
}

TEST_CASE("truncation goes towards zero, in units of any power of ten") {
  CHECK(dec("12.345").truncated(0) == Decimal(12));
  CHECK(dec("-12.999").truncated(0) == Decimal(-12));
  CHECK(dec("12.345").truncated(2) == dec("12.34"));
  CHECK(dec("12.345").truncated(9) == dec("12.345"));
  CHECK(dec("1999").truncated(-3) == Decimal(1000));
  CHECK(dec("-1999").truncated(-3) == Decimal(-1000));
  CHECK(dec("999").truncated(-3).is_zero());
}

TEST_CASE("a power of ten moves the point") {
  CHECK(dec("1.5").times_power_of_ten(3) == Decimal(1500));
  CHECK(dec("1.5").times_power_of_ten(-3) == dec("0.0015"));
  CHECK(dec("1500").times_power_of_ten(-2) == Decimal(15));
  CHECK(Decimal().times_power_of_ten(15).is_zero());
  CHECK_THROWS_AS(Decimal(1).times_power_of_ten(1'000'000'000), std::invalid_argument);
  CHECK_THROWS_AS(Decimal(1).truncated(std::numeric_limits<int>::min()), std::invalid_argument);
}

TEST_CASE("decimals: properties") {
  rc::prop("parse(str(x)) == x", [] {
    const auto x = any_decimal();
    RC_ASSERT(Decimal::parse(x.str()) == x);
    RC_ASSERT(x.within_limits());
  });
  rc::prop("a text within the limits prints as itself, but for needless zeros", [] {
    const auto text = std::to_string(*rc::gen::inRange(1, 1000)) + digits(*rc::gen::inRange(0, 27)) + "." +
                      digits(*rc::gen::inRange(0, 29)) + "7";
    RC_ASSERT(Decimal::parse(text).value().str() == text);
    RC_ASSERT(Decimal::parse("-" + text + "000").value().str() == "-" + text);
  });
  rc::prop("sums do not depend on order or grouping", [] {
    const auto a = any_decimal();
    const auto b = any_decimal();
    const auto c = any_decimal();
    RC_ASSERT((a + b) + c == a + (b + c));
    RC_ASSERT(a + b == b + a);
    RC_ASSERT((a + b) - b == a);
    RC_ASSERT((a + b) * c == a * c + b * c);
  });
  rc::prop("the order is that of the differences' signs", [] {
    const auto a = any_decimal();
    const auto b = any_decimal();
    RC_ASSERT((a < b) == (a - b).is_negative());
    RC_ASSERT((a == b) == (a - b).is_zero());
  });
  rc::prop("truncation leaves less than a unit, of the same sign", [] {
    const auto x = any_decimal();
    const auto scale = *rc::gen::inRange(-15, 16);
    const auto rest = x - x.truncated(scale);
    RC_ASSERT(rest.is_zero() || rest.is_negative() == x.is_negative());
    const auto unit = Decimal(1).times_power_of_ten(-scale);
    RC_ASSERT((rest.is_negative() ? Decimal() - rest : rest) < unit);
    RC_ASSERT(x.truncated(scale).times_power_of_ten(scale).is_whole());
  });
  rc::prop("powers of ten undo each other", [] {
    const auto x = any_decimal();
    const auto power = *rc::gen::inRange(-40, 41);
    RC_ASSERT(x.times_power_of_ten(power).times_power_of_ten(-power) == x);
  });
}
