#include "domain/usage.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;

TEST_CASE("every aggregation has the name FlexPrice gives it") {
  CHECK(to_string(Aggregation::sum_with_multiplier) == "SUM_WITH_MULTIPLIER");
  for (const auto aggregation : {Aggregation::count, Aggregation::sum, Aggregation::sum_with_multiplier}) {
    CHECK(parse_aggregation(to_string(aggregation)) == aggregation);
  }
  CHECK_FALSE(parse_aggregation("count").has_value());
  CHECK_FALSE(parse_aggregation("MAX").has_value());
  CHECK_FALSE(parse_aggregation("").has_value());
}

TEST_CASE("every status of a batch is read as it is written") {
  using enum BatchStatus;
  for (const auto status : {pending, sent, carried, rejected, returned, ambiguous, expired}) {
    CHECK(parse_batch_status(to_string(status)) == status);
  }
  CHECK(to_string(ambiguous) == "ambiguous");
  CHECK_FALSE(parse_batch_status("SENT").has_value());
}
