// One transfer of the transport: what goes into libcurl, what comes out. Of transport.cpp only.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "stripe/transport.hpp"

namespace flexsync::stripe {

using SteadyClock = std::chrono::steady_clock;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

// Wipes as it frees: the Authorization line is among them.
struct FreeHeaders {
  void operator()(curl_slist* list) const;
};

struct Transfer {
  HttpRequest request;
  std::function<void(HttpResult)> reply;
  SteadyClock::time_point deadline;
  SteadyClock::time_point started;
  std::size_t body_max = 0;
  HttpResponse response;
  std::size_t header_bytes = 0;
  bool too_large = false;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  std::unique_ptr<curl_slist, FreeHeaders> headers;
  std::unique_ptr<CURL, FreeEasy> easy;  // last: goes before what it points into
};

// What would let a request become another one ("path", "headers" …), or nothing. Names the part, never its content:
// it may be the key.
std::string_view unsafe_part(const HttpRequest& request);

// Fills the easy handle; false when libcurl refuses an option. The call must stay where it is until the transfer ends.
bool prepare(Transfer& call, const CurlTransportConfig& config);

// What a finished transfer came to.
HttpResult result_of(Transfer& call, CURLcode code, const CurlTransportConfig& config);

TransportError transport_error(TransportError::Kind kind, const CurlTransportConfig& config, const std::string& why);

}  // namespace flexsync::stripe
