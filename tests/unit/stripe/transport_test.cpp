#include "stripe/transport.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>
#include <vector>

#include "support/http_imposter.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using Catch::Matchers::Contains;
using flexsync::test::HttpImposter;
using Kind = TransportError::Kind;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPatience{10'000};  // how long a test waits for what must come
const std::string kKey = "sk_test_51Secret";

HttpRequest get(const std::string& path, milliseconds timeout = milliseconds(5'000)) {
  HttpRequest request;
  request.path = path;
  request.api_key = Secret(kKey);
  request.timeout = timeout;
  return request;
}

std::unique_ptr<Transport> transport_to(const std::string& url, CurlTransportConfig config = {}) {
  config.api_base = url;
  return make_curl_transport(std::move(config));
}

std::future<HttpResult> start(Transport& transport, HttpRequest request) {
  auto promise = std::make_shared<std::promise<HttpResult>>();
  auto future = promise->get_future();
  transport.send(std::move(request), [promise](HttpResult result) { promise->set_value(std::move(result)); });
  return future;
}

HttpResult wait(std::future<HttpResult> future) {
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

HttpResult call(Transport& transport, HttpRequest request) {
  return wait(start(transport, std::move(request)));
}

TransportError failure(const HttpResult& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("Secret") == std::string::npos);
  CHECK_FALSE(result.error().message.empty());
  return result.error();
}

}  // namespace

TEST_CASE("a call carries key, version and headers, and brings status, headers and body back") {
  HttpImposter stripe;
  stripe.when("GET", "/v1/customers/cus_1?expand=x").then_reply(402, R"({"id":"cus_1"})", {{"X-Odd-Case", "Yes"}});
  const auto transport = transport_to(stripe.url());
  auto request = get("/v1/customers/cus_1?expand=x");
  request.headers = {{"Idempotency-Key", "k1"}};
  const auto result = call(*transport, std::move(request));
  REQUIRE(result.has_value());
  CHECK(result->status == 402);
  CHECK(result->body == R"({"id":"cus_1"})");
  CHECK(result->headers.at("x-odd-case") == "Yes");
  CHECK(result->duration.count() > 0);

  const auto seen = stripe.requests().at(0);
  CHECK(seen.headers.at("authorization") == "Bearer " + kKey);
  CHECK(seen.headers.at("stripe-version") == CurlTransportConfig().api_version);
  CHECK_THAT(seen.headers.at("user-agent"), Contains("flexsync/"));
  CHECK(seen.headers.at("idempotency-key") == "k1");
  CHECK(seen.body.empty());
}

TEST_CASE("the key goes into the Authorization header and nowhere else") {
  HttpImposter stripe;
  stripe.when("POST", "/v1/customers").then_reply(200);
  const auto transport = transport_to(stripe.url());
  auto request = get("/v1/customers");
  request.method = "POST";
  request.body = "name=Ada";
  REQUIRE(call(*transport, std::move(request)).has_value());
  const auto seen = stripe.requests().at(0);
  CHECK(seen.method == "POST");
  CHECK(seen.body == "name=Ada");
  CHECK(seen.headers.at("content-type") == "application/x-www-form-urlencoded");
  CHECK(seen.target.find(kKey) == std::string::npos);
  CHECK(std::count_if(seen.headers.begin(), seen.headers.end(),
                      [](const auto& header) { return header.second.find(kKey) != std::string::npos; }) == 1);
}

TEST_CASE("POST without a body, DELETE, and no key at all") {
  HttpImposter stripe;
  stripe.when("POST", "/v1/x").then_reply(200);
  stripe.when("DELETE", "/v1/x").then_reply(200);
  const auto transport = transport_to(stripe.url());
  for (const auto* method : {"POST", "DELETE"}) {
    HttpRequest request;
    request.method = method;
    request.path = "/v1/x";
    REQUIRE(call(*transport, std::move(request)).has_value());
  }
  CHECK(stripe.order() == std::vector<std::string>{"POST /v1/x", "DELETE /v1/x"});
  CHECK_FALSE(stripe.requests().at(0).headers.contains("authorization"));
}

TEST_CASE("answers come in the script's order, over one connection") {
  HttpImposter stripe;
  stripe.when("GET", "/v1/customers/cus_1").then_reply(500).then_reply(200);
  const auto transport = transport_to(stripe.url());
  CHECK(call(*transport, get("/v1/customers/cus_1"))->status == 500);
  CHECK(call(*transport, get("/v1/customers/cus_1"))->status == 200);
  CHECK(call(*transport, get("/v1/customers/cus_1"))->status == 200);
  CHECK(call(*transport, get("/v1/elsewhere"))->status == 501);
  CHECK(stripe.connections() == 1);
}

TEST_CASE("an answer that does not come is a timeout, after the request's own time") {
  HttpImposter stripe;
  stripe.when("GET", "/slow").then_delay(kPatience).then_reply(200);
  const auto transport = transport_to(stripe.url());
  const auto before = std::chrono::steady_clock::now();
  CHECK(failure(call(*transport, get("/slow", milliseconds(150)))).kind == Kind::timeout);
  const auto took = std::chrono::steady_clock::now() - before;
  CHECK(took >= milliseconds(140));
  CHECK(took < milliseconds(3'000));
}

TEST_CASE("a request that waits for a free connection keeps to its time, too, and the next one gets its turn") {
  HttpImposter stripe;
  stripe.when("GET", "/slow").then_delay(milliseconds(600)).then_reply(200);
  stripe.when("GET", "/fast").then_reply(200);
  CurlTransportConfig config;
  config.connections_max = 1;
  const auto transport = transport_to(stripe.url(), config);
  auto slow = start(*transport, get("/slow"));
  auto late = start(*transport, get("/fast", milliseconds(100)));
  auto patient = start(*transport, get("/fast"));
  CHECK(failure(wait(std::move(late))).kind == Kind::timeout);
  CHECK(slow.wait_for(milliseconds(0)) == std::future_status::timeout);
  CHECK(wait(std::move(slow)).has_value());
  CHECK(wait(std::move(patient)).has_value());
  CHECK(stripe.order() == std::vector<std::string>{"GET /slow", "GET /fast"});
}

TEST_CASE("a connection torn down is lost, not refused; the next call gets a new one") {
  HttpImposter stripe;
  stripe.when("GET", "/reset").then_reset();
  stripe.when("GET", "/short").then_raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
  stripe.when("GET", "/nothing").then_raw("");
  stripe.when("GET", "/garbage").then_raw("\x01\x02 hello\r\n\r\n");
  stripe.when("GET", "/ok").then_reply(200);
  const auto transport = transport_to(stripe.url());
  for (const auto* path : {"/reset", "/short", "/nothing", "/garbage"}) {
    CAPTURE(path);
    CHECK(failure(call(*transport, get(path))).kind == Kind::connection_lost);
  }
  CHECK(call(*transport, get("/ok"))->status == 200);
}

TEST_CASE("nobody listening is a failed connect") {
  std::string url;
  { url = HttpImposter().url(); }
  const auto transport = transport_to(url);
  const auto error = failure(call(*transport, get("/v1/customers/cus_1")));
  CHECK(error.kind == Kind::connect);
  CHECK_THAT(error.message, Contains(url));
}

TEST_CASE("TLS with somebody who does not speak it is a TLS failure") {
  HttpImposter plain;
  const auto transport = transport_to("https://127.0.0.1:" + std::to_string(plain.port()));
  CHECK(failure(call(*transport, get("/"))).kind == Kind::tls);
}

TEST_CASE("only HTTP is spoken") {
  const auto transport = transport_to("file://");
  failure(call(*transport, get("/etc/passwd")));
}

TEST_CASE("an answer over the limit is refused, announced or not") {
  HttpImposter stripe;
  const std::string large(2'000, 'x');
  stripe.when("GET", "/announced").then_reply(200, large);
  stripe.when("GET", "/until-close").then_raw("HTTP/1.1 200 OK\r\n\r\n" + large);
  stripe.when("GET", "/headers").then_reply(200, "{}", {{"X-Large", std::string(60'000, 'x')}});
  stripe.when("GET", "/exact").then_reply(200, std::string(1'000, 'x'));
  CurlTransportConfig config;
  config.response_size_max = 1'000;
  const auto transport = transport_to(stripe.url(), config);
  CHECK(failure(call(*transport, get("/announced"))).kind == Kind::too_large);
  CHECK(failure(call(*transport, get("/until-close"))).kind == Kind::too_large);
  CHECK(call(*transport, get("/headers")).has_value());
  CHECK(call(*transport, get("/exact"))->body.size() == 1'000);
}

TEST_CASE("a request that would become another one is not sent, and the part that is wrong is named") {
  HttpImposter stripe;
  const auto transport = transport_to(stripe.url());
  const auto refused = [&](HttpRequest request) {
    const auto error = failure(call(*transport, std::move(request)));
    CHECK(error.kind == Kind::connect);
    return error.message;
  };
  CHECK_THAT(refused(get("@evil.example/")), Contains("path"));
  CHECK_THAT(refused(get("")), Contains("path"));
  CHECK_THAT(refused(get("/v1/a b")), Contains("path"));
  CHECK_THAT(refused(get("/v1\r\nHost: evil")), Contains("path"));
  auto key = get("/v1");
  key.api_key = Secret("sk_Secret\r\nX: y");
  CHECK_THAT(refused(std::move(key)), Contains("API key"));
  auto header = get("/v1");
  header.headers = {{"X-A", "b\r\nX-C: d"}};
  CHECK_THAT(refused(std::move(header)), Contains("headers"));
  auto method = get("/v1");
  method.method = "GET /other";
  CHECK_THAT(refused(std::move(method)), Contains("method"));
  CHECK(stripe.requests().empty());
}

TEST_CASE("a redirect is an answer, not an order: the key goes nowhere else") {
  HttpImposter other;
  HttpImposter stripe;
  stripe.when("GET", "/v1/x").then_reply(302, "", {{"Location", other.url() + "/v1/x"}});
  const auto transport = transport_to(stripe.url());
  CHECK(call(*transport, get("/v1/x"))->status == 302);
  CHECK(other.requests().empty());
}

TEST_CASE("many calls from many threads are each answered exactly once") {
  HttpImposter stripe;
  stripe.when("GET", "/v1/x").then_reply(200);
  CurlTransportConfig config;
  config.connections_max = 8;
  std::atomic<int> answered{0};
  std::atomic<int> good{0};
  {
    const auto transport = transport_to(stripe.url(), config);
    std::vector<std::thread> threads;
    std::vector<std::future<HttpResult>> last(4);
    for (std::size_t t = 0; t < last.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          transport->send(get("/v1/x"), [&](const HttpResult& result) {
            ++answered;
            good += result.has_value() && result->status == 200 ? 1 : 0;
          });
        }
        last[t] = start(*transport, get("/v1/x"));
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    for (auto& future : last) {
      CHECK(wait(std::move(future)).has_value());
    }
    REQUIRE(stripe.wait_for_requests(204, kPatience));
  }
  CHECK(answered == 200);
  CHECK(stripe.connections() <= 8);
}

TEST_CASE("destroying the transport answers what is outstanding, sent or waiting, at once") {
  HttpImposter stripe;
  stripe.when("GET", "/slow").then_delay(kPatience).then_reply(200);
  CurlTransportConfig config;
  config.connections_max = 2;
  auto transport = transport_to(stripe.url(), config);
  std::vector<std::future<HttpResult>> calls;
  for (int i = 0; i < 5; ++i) {
    calls.push_back(start(*transport, get("/slow", kPatience)));
  }
  REQUIRE(stripe.wait_for_requests(2, kPatience));
  const auto before = std::chrono::steady_clock::now();
  transport.reset();
  CHECK(std::chrono::steady_clock::now() - before < milliseconds(2'000));
  for (auto& one : calls) {
    CHECK(failure(wait(std::move(one))).kind == Kind::shutting_down);
  }
}

TEST_CASE("a reply may send again, also while the transport stops, and may throw") {
  HttpImposter stripe;
  stripe.when("GET", "/first").then_reply(200);
  stripe.when("GET", "/slow").then_delay(kPatience).then_reply(200);
  auto transport = transport_to(stripe.url());
  std::promise<HttpResult> again;
  transport->send(get("/first"), [](const HttpResult&) { throw std::runtime_error("a fault in the caller"); });
  transport->send(get("/first"), [&, raw = transport.get()](const HttpResult&) {
    raw->send(get("/slow"), [&, raw](const HttpResult&) {
      raw->send(get("/slow"), [&](HttpResult result) { again.set_value(std::move(result)); });
    });
  });
  REQUIRE(stripe.wait_for_requests(3, kPatience));
  transport.reset();
  CHECK(failure(wait(again.get_future())).kind == Kind::shutting_down);
}
