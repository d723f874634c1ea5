#include "domain/error.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;

TEST_CASE("every error code has FlexPrice's name and its HTTP status") {
  struct Row {
    ErrorCode code;
    std::string_view name;
    int status;
  };
  const auto row = GENERATE(values<Row>({
      {ErrorCode::validation_error, "validation_error", 400},
      {ErrorCode::invalid_operation, "invalid_operation", 400},
      {ErrorCode::unauthenticated, "unauthenticated", 401},
      {ErrorCode::permission_denied, "permission_denied", 403},
      {ErrorCode::not_found, "not_found", 404},
      {ErrorCode::already_exists, "already_exists", 409},
      {ErrorCode::version_conflict, "version_conflict", 409},
      {ErrorCode::payload_too_large, "payload_too_large", 413},
      {ErrorCode::too_many_requests, "too_many_requests", 429},
      {ErrorCode::internal_error, "internal_error", 500},
      {ErrorCode::database_error, "database_error", 500},
      {ErrorCode::service_unavailable, "service_unavailable", 503},
  }));
  CHECK(to_string(row.code) == row.name);
  CHECK(http_status(row.code) == row.status);
}

TEST_CASE("fail() makes a result that carries code, message and details") {
  const Result<int> result = fail(ErrorCode::not_found, "no such customer", {{"id", "unknown"}});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error() == Error{ErrorCode::not_found, "no such customer", {{"id", "unknown"}}});
}
