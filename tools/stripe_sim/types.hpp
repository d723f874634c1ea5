// What passes between the HTTP server, the API and the control routes. No Beast, no libcurl here.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace stripe_sim {

using Json = nlohmann::json;

// The API version the `stripe` npm package 23.x pins; events and answers carry it unless a request asks for another.
inline constexpr const char* kApiVersion = "2026-10-28.endive";

struct HttpRequest {
  std::string method;
  std::string path;
  std::string query;                           // without the question mark
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool from_loopback = false;

  std::string header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string() : found->second;
  }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 200;
  std::string body;
  Headers headers;
  int delay_ms = 0;              // a fault: the connection waits this long first
  bool reset = false;            // a fault: the connection is reset instead of answered
  std::function<Answer()> then;  // asked after the wait for the real answer; never throws
};

// Bytes that are no UTF-8 (a client may send any) become replacement characters instead of an exception.
inline std::string render(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

inline Answer json_answer(int status, const Json& body) {
  return {status, render(body, 2) + "\n", {}, 0, false, {}};
}

// Takes the answer to one request; may be called from any thread, once.
using Responder = std::function<void(Answer)>;

}  // namespace stripe_sim
