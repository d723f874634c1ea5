#include "domain/country.hpp"

#include <catch2/catch.hpp>

using flexsync::is_country_code;

TEST_CASE("country codes are whole codes, not two letters that stand beside each other in the list",
          "[domain][country]") {
  for (const auto* code : {"AD", "CH", "DE", "GB", "US", "ZW"}) {
    CHECK(is_country_code(code));
  }
  for (const auto* code : {"DA", "EA", "ch", "UK", "EU", "", "A", "AND"}) {
    CHECK_FALSE(is_country_code(code));
  }
}
