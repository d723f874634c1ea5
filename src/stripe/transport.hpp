// The way to Stripe: requests go in from any thread, answers come back on the transport's own thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "domain/secret.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // "/v1/customers/cus_…", with its query
  Secret api_key;
  std::string body;  // form-encoded for POST
  std::map<std::string, std::string> headers;
  std::chrono::milliseconds timeout{30'000};  // from send() to the last byte of the answer
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::chrono::microseconds duration{0};
};

// The call did not end in an answer.
struct TransportError {
  enum class Kind : std::uint8_t { timeout, connect, connection_lost, tls, too_large, shutting_down };
  Kind kind = Kind::connect;
  std::string message;
};

using HttpResult = tl::expected<HttpResponse, TransportError>;

class Transport {
 public:
  virtual ~Transport() = default;
  // `reply` is called exactly once, on the transport's thread; it must not block, nor destroy the transport.
  virtual void send(HttpRequest request, std::function<void(HttpResult)> reply) = 0;
};

struct CurlTransportConfig {
  std::string api_base = "https://api.stripe.com";
  std::string api_version = "2026-10-28.endive";  // pinned by Stripe-Version
  std::string user_agent = "flexsync/0.1.0";
  long connections_max = 256;                       // and so many requests at once; more wait inside
  std::size_t response_size_max = 8 * 1024 * 1024;  // bytes
  std::chrono::milliseconds connect_timeout{10'000};
};

// libcurl's multi interface on one thread; destroying it answers what is outstanding with `shutting_down`.
std::unique_ptr<Transport> make_curl_transport(CurlTransportConfig config);

}  // namespace flexsync::stripe
