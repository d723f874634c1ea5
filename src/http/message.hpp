// A request and a response as handlers see them: plain values, nothing of the library that carries them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flexsync::http {

enum class Method : std::uint8_t { get, post, put, del, other };

// Only the headers that somebody reads are kept: a field each, empty when absent.
struct Request {
  Method method = Method::other;
  std::string method_name;  // as sent: "PATCH"
  std::string path;         // still percent-encoded, without the query
  std::string query;        // without the '?'
  std::string body;

  std::string api_key;           // x-api-key
  std::string authorization;     // Authorization
  std::string stripe_signature;  // Stripe-Signature
  std::string forwarded_for;     // X-Forwarded-For, several joined by commas
  std::string prefer;            // Prefer, several joined by commas
  std::string traceparent;       // W3C trace context; empty when it is not valid
  std::string request_id;        // X-Request-ID when valid, else one of our own
  std::string client;            // the address that counts: the peer's, or what a trusted proxy says
};

inline constexpr std::string_view kJsonType = "application/json";

struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = kJsonType;  // a literal
  std::vector<std::pair<std::string, std::string>> headers;
};

Response json_response(int status, const nlohmann::json& body);
Response no_content();

// X-Request-ID: 1 to 128 visible ASCII characters, so that it cannot break a log line or a header.
bool is_valid_request_id(std::string_view text);

// W3C trace context, version 00: "00-<32 hex>-<16 hex>-<2 hex>", ids not all zero.
bool is_valid_traceparent(std::string_view text);

}  // namespace flexsync::http
