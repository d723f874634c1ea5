#include "http/message.hpp"

#include <catch2/catch.hpp>

#include "domain/ulid.hpp"
#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE("request ids are short and visible", "[http][message]") {
  CHECK(http::is_valid_request_id("a"));
  CHECK(http::is_valid_request_id(std::string(128, '~')));
  CHECK_FALSE(http::is_valid_request_id(""));
  CHECK_FALSE(http::is_valid_request_id(std::string(129, 'a')));
  CHECK_FALSE(http::is_valid_request_id("a b"));
  CHECK_FALSE(http::is_valid_request_id("ü"));
}

TEST_CASE("traceparent as the W3C has it", "[http][message]") {
  CHECK(http::is_valid_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  CHECK_FALSE(http::is_valid_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  CHECK_FALSE(http::is_valid_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
  CHECK_FALSE(http::is_valid_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
  CHECK_FALSE(http::is_valid_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"));
  CHECK_FALSE(http::is_valid_traceparent(""));
}

TEST_CASE_METHOD(HttpFixture, "a request's id is echoed when it is valid, else made", "[http][message]") {
  CHECK(send("GET", "/nowhere", "X-Request-ID: mine-7\r\n").header("x-request-id") == "mine-7");
  const auto made = send("GET", "/nowhere", "X-Request-ID: " + std::string(200, 'a') + "\r\n").header("x-request-id");
  CHECK(has_id_form(prefix::kRequest, made));
  CHECK(has_id_form(prefix::kRequest, send("GET", "/nowhere").header("x-request-id")));
  RawClient garbage(port());
  garbage.send("\x01\r\n\r\n");
  CHECK(has_id_form(prefix::kRequest, garbage.read_reply().header("x-request-id")));
}

}  // namespace flexsync::test
