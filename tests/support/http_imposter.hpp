// An HTTP server that says what a test tells it to, on a real loopback socket, and remembers what it was asked.
//
//   HttpImposter stripe;
//   stripe.when("GET", "/v1/customers/cus_1").then_reply(500).then_reply(200, R"({"id":"cus_1"})");
//   … use stripe.url() …
//   CHECK(stripe.order() == std::vector<std::string>{"GET /v1/customers/cus_1", "GET /v1/customers/cus_1"});
//
// A route's answers are given in order; the last one is given again for ever. A request without a route is answered
// 501, so that it fails loudly in whatever sent it. Destroying the imposter closes every connection, answered or not.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flexsync::test {

using Headers = std::map<std::string, std::string>;

struct SeenRequest {
  std::string method;
  std::string target;  // with its query
  Headers headers;     // names in lower case
  std::string body;
};

class HttpImposter {
 public:
  class Route {
   public:
    Route& then_reply(int status, std::string body = "{}", Headers headers = {});
    Route& then_delay(std::chrono::milliseconds delay);  // before the next answer
    Route& then_reset();                                 // no answer: the connection is torn down (RST)
    Route& then_raw(std::string bytes);                  // these bytes, then the connection is closed

   private:
    friend class HttpImposter;
    struct Script;
    explicit Route(std::shared_ptr<Script> script);
    std::shared_ptr<Script> script_;
  };

  HttpImposter();
  ~HttpImposter();
  HttpImposter(const HttpImposter&) = delete;
  HttpImposter& operator=(const HttpImposter&) = delete;

  std::string url() const;  // http://127.0.0.1:<port>
  std::uint16_t port() const;

  // A second `when` for the same request replaces the first one.
  Route when(const std::string& method, const std::string& target);

  std::vector<SeenRequest> requests() const;  // in the order in which they came in
  std::vector<std::string> order() const;     // the same as "METHOD target"
  std::size_t connections() const;            // accepted so far
  // Until so many requests are in; false when that takes too long.
  bool wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace flexsync::test
