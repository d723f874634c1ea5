#include "http/server.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <vector>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

constexpr const char* kWebhookPath = "/v1/webhooks/stripe/tenant_01/env_01";
const std::string kSigned = "Stripe-Signature: t=1,v1=00\r\n";

std::string webhook(const std::string& body, const std::string& headers = {}) {
  return request_text("POST", kWebhookPath, kSigned + headers, body);
}

// Holds whoever passes until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

// Takes webhooks and keeps their replies until the test wants them answered.
struct HeldWebhooks {
  explicit HeldWebhooks(FakeIntake& intake) {
    intake.on_store = [this](const IncomingEvent&, FakeIntake::Reply reply) {
      const std::lock_guard lock(mutex);
      replies.push_back(std::move(reply));
      changed.notify_all();
    };
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return replies.size() >= count; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<FakeIntake::Reply> replies;
};

}  // namespace

TEST_CASE_METHOD(HttpFixture, "the public listener leaves loopback only where that is allowed", "[http]") {
  config.address = "0.0.0.0";
  http::Server refused(config, ports());
  const auto started = refused.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message.find("http.allow_plaintext") != std::string::npos);
  CHECK(started.error().message.find("0.0.0.0") != std::string::npos);

  config.allow_plaintext = true;
  CHECK(start().port() != 0);
}

TEST_CASE_METHOD(HttpFixture, "a start that cannot work says why", "[http]") {
  SECTION("no address") {
    config.address = "example";
  }
  SECTION("no network") {
    config.trusted_proxies = {"10.0.0.0/33"};
  }
  SECTION("port in use") {
    config.port = start().admin_port();
  }
  http::Server second(config, ports());
  const auto started = second.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::validation_error);
  INFO(started.error().message);
  CHECK((started.error().message.find("example") != std::string::npos ||
         started.error().message.find("10.0.0.0/33") != std::string::npos ||
         started.error().message.find("in use") != std::string::npos));
}

TEST_CASE_METHOD(HttpFixture, "a connection is kept for several requests", "[http]") {
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.send(webhook("{}"));
    const auto reply = client.read_reply();
    CHECK(reply.status == 200);
    CHECK(reply.header("connection").empty());
    CHECK(reply.header("date") == "Mon, 21 Sep 2026 14:13:20 GMT");
  }
  client.send(webhook("{}", "Connection: close\r\n"));
  CHECK(client.read_reply().header("connection") == "close");
  CHECK(client.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "HTTP/1.0 closes unless it asks otherwise", "[http]") {
  RawClient client(port());
  client.send("GET /nowhere HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(client.read_reply().header("connection") == "keep-alive");
  client.send("GET /nowhere HTTP/1.0\r\n\r\n");
  CHECK(client.read_reply().header("connection") == "close");
  CHECK(client.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "pipelined requests are answered in their order", "[http]") {
  RawClient client(port());
  client.send(
      webhook("{}", "X-Request-ID: one\r\n") + "\r\n" +
      request_text("GET", "/v1/customers", std::string("x-api-key: ") + kApiKey + "\r\nX-Request-ID: two\r\n", "") +
      webhook("{}", "X-Request-ID: three\r\n"));
  CHECK(client.read_reply().header("x-request-id") == "one");
  CHECK(client.read_reply().header("x-request-id") == "two");
  CHECK(client.read_reply().header("x-request-id") == "three");
}

TEST_CASE_METHOD(HttpFixture, "a request may arrive byte by byte", "[http]") {
  RawClient client(port());
  for (const char byte : webhook(R"({"id":"evt_1"})")) {
    client.send(std::string_view(&byte, 1));
  }
  CHECK(client.read_reply().status == 200);
  CHECK(intake.events.at(0).payload == R"({"id":"evt_1"})");
}

TEST_CASE_METHOD(HttpFixture, "HEAD is GET without the body", "[http]") {
  RawClient client(port());
  client.send("HEAD /v1/customers HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto reply = client.read_reply(false);
  CHECK(reply.status == 401);
  CHECK(reply.header("content-length") != "0");
  client.send(webhook("{}"));
  CHECK(client.read_reply().status == 200);
}

TEST_CASE_METHOD(HttpFixture, "a body over the limit is refused from Content-Length, unread", "[http][limits]") {
  config.webhook_body_size_max = 1000;
  RawClient client(port());
  client.send("POST " + std::string(kWebhookPath) + " HTTP/1.1\r\n" + kSigned + "Content-Length: 1001\r\n\r\n");
  const auto reply = client.read_reply();  // not a byte of the body was sent
  CHECK(reply.status == 413);
  CHECK(reply.error()["code"] == "payload_too_large");
  CHECK(reply.header("connection") == "close");
  CHECK(client.is_closed());
  CHECK(verifier.deliveries.empty());
}

TEST_CASE_METHOD(HttpFixture, "a chunked body is refused once it is over the limit", "[http][limits]") {
  config.webhook_body_size_max = 1000;
  const std::string chunk = "1f4\r\n" + std::string(500, ' ') + "\r\n";
  const std::string head =
      "POST " + std::string(kWebhookPath) + " HTTP/1.1\r\n" + kSigned + "Transfer-Encoding: chunked\r\n\r\n";
  RawClient within(port());
  within.send(head + chunk + chunk + "0\r\nX-Api-Key: a-trailer-is-no-header\r\n\r\n");
  CHECK(within.read_reply().status == 200);
  CHECK(intake.events.at(0).payload.size() == 1000);

  RawClient over(port());
  over.send(head + chunk + chunk + "1\r\n \r\n");
  CHECK(over.read_reply().status == 413);
  CHECK(over.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "a client that waits for 100 Continue gets it", "[http]") {
  RawClient client(port());
  client.send("POST " + std::string(kWebhookPath) + " HTTP/1.1\r\n" + kSigned +
              "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.read_reply().status == 100);
  client.send("{}");
  CHECK(client.read_reply().status == 200);
}

TEST_CASE_METHOD(HttpFixture, "headers over the limit are 431", "[http][limits]") {
  config.header_size_max = 1024;
  RawClient client(port());
  client.send("GET /v1/customers HTTP/1.1\r\nX-Long: " + std::string(4000, 'a') + "\r\n\r\n");
  CHECK(client.read_reply().status == 431);
  CHECK(client.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "what is not HTTP/1.1 is 400 and closed", "[http]") {
  const auto garbage = GENERATE(as<std::string>{}, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
                                "GET / HTTP/2.0\r\n\r\n", "GET http://elsewhere/ HTTP/1.1\r\n\r\n",
                                "GET / HTTP/1.1\r\nno colon\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                                "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n");
  RawClient client(port());
  client.send(garbage);
  const auto reply = client.read_reply();
  CHECK(reply.status == 400);
  CHECK(reply.json()["success"] == false);
  CHECK(client.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "a broken chunk is 400", "[http]") {
  RawClient client(port());
  client.send("POST " + std::string(kWebhookPath) + " HTTP/1.1\r\n" + kSigned +
              "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
  CHECK(client.read_reply().status == 400);
  CHECK(client.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "a slow client is told so and closed", "[http][timeouts]") {
  config.linger_timeout_ms = 100;
  SECTION("headers that do not come") {
    config.header_timeout_ms = 50;
    RawClient client(port());
    client.send("G");
    const auto reply = client.read_reply();
    CHECK(reply.status == 408);
    CHECK(reply.error()["code"] == "request_timeout");
    CHECK(client.is_closed());
  }
  SECTION("a body that does not come") {
    config.body_timeout_ms = 50;
    RawClient client(port());
    client.send("POST " + std::string(kWebhookPath) + " HTTP/1.1\r\n" + kSigned + "Content-Length: 10\r\n\r\n{");
    CHECK(client.read_reply().status == 408);
    CHECK(client.is_closed());
  }
  SECTION("nothing at all") {
    config.header_timeout_ms = 50;
    RawClient client(port());
    CHECK(client.is_closed());
  }
  SECTION("nothing after a request") {
    config.idle_timeout_ms = 50;
    RawClient client(port());
    client.send(webhook("{}"));
    CHECK(client.read_reply().status == 200);
    CHECK(client.is_closed());
  }
}

TEST_CASE_METHOD(HttpFixture, "a handler that never answers is answered for", "[http][timeouts]") {
  HeldWebhooks held(intake);
  config.answer_timeout_ms = 50;
  RawClient client(port());
  client.send(webhook("{}"));
  const auto reply = client.read_reply();
  CHECK(reply.status == 503);
  CHECK(reply.header("retry-after") == "1");
  held.wait_for(1);
  held.replies.at(0)(IntakeResult::stored);  // too late: the first answer won
  client.send(request_text("GET", "/nowhere", "", ""));
  CHECK(client.read_reply().status == 404);
}

TEST_CASE_METHOD(HttpFixture, "an exchange that is dropped answers 503", "[http]") {
  intake.on_store = [](const IncomingEvent&, const FakeIntake::Reply&) {};
  RawClient client(port());
  client.send(webhook("{}"));
  const auto reply = client.read_reply();
  CHECK(reply.status == 503);
  CHECK(reply.error()["code"] == "service_unavailable");
  CHECK(reply.header("retry-after") == "1");
}

TEST_CASE_METHOD(HttpFixture, "a handler that throws is 500 without its inside", "[http]") {
  queries.before_query = [] { throw std::runtime_error("row 12 of table secrets"); };
  const auto reply = as_key("GET", "/v1/customers");
  CHECK(reply.status == 500);
  CHECK(reply.error()["code"] == "internal_error");
  CHECK(reply.body.find("row 12") == std::string::npos);

  verifier.on_verify = [](WebhookDelivery, const FakeVerifier::Reply&) { throw std::runtime_error("no"); };
  CHECK(send("POST", kWebhookPath, kSigned, "{}").status == 500);
}

TEST_CASE_METHOD(HttpFixture, "a full worker queue is 503, and webhooks pass beside it", "[http]") {
  Gate gate;
  queries.before_query = [&] { gate.pass(); };
  config.worker_threads = 1;
  config.worker_queue_max = 1;
  const auto get = request_text("GET", "/v1/customers", std::string("x-api-key: ") + kApiKey + "\r\n", "");
  const auto nowhere = request_text("GET", "/nowhere", "", "");
  RawClient running(port());
  RawClient waiting(port());
  RawClient probe(port());
  for (auto* client : {&running, &waiting, &probe}) {
    client->send(nowhere);
    CHECK(client->read_reply().status == 404);
  }
  running.send(get);
  gate.wait_for(1);
  waiting.send(get);
  // All are on the one I/O thread: what was sent before the first of these is handled before the second.
  for (int i = 0; i < 2; ++i) {
    probe.send(nowhere);
    CHECK(probe.read_reply().status == 404);
  }
  probe.send(get);
  const auto refused = probe.read_reply();
  CHECK(refused.status == 503);
  CHECK(refused.header("retry-after") == "1");
  CHECK(send("POST", kWebhookPath, kSigned, "{}").status == 200);
  gate.open();
  CHECK(running.read_reply().status == 200);
  CHECK(waiting.read_reply().status == 200);
}

TEST_CASE_METHOD(HttpFixture, "connections over the limit are closed at once", "[http][limits]") {
  config.connections_max = 2;
  RawClient first(port());
  first.send(webhook("{}"));
  CHECK(first.read_reply().status == 200);
  {
    RawClient second(port());
    second.send(webhook("{}"));
    CHECK(second.read_reply().status == 200);
    RawClient third(port());
    CHECK(third.is_closed());
    CHECK(admin_get("/health/live").status == 200);  // the admin listener counts for itself
  }
  first.send(webhook("{}"));
  CHECK(first.read_reply().status == 200);
}

TEST_CASE_METHOD(HttpFixture, "several I/O threads share the connections", "[http]") {
  config.io_threads = 3;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 9; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(webhook("{}"));
  }
  for (const auto& client : clients) {
    CHECK(client->read_reply().status == 200);
  }
}

TEST_CASE_METHOD(HttpFixture, "draining answers what is in flight and takes nothing new", "[http][drain]") {
  HeldWebhooks held(intake);
  Gate gate;
  queries.before_query = [&] { gate.pass(); };
  config.linger_timeout_ms = 100;
  RawClient idle(port());
  idle.send(request_text("GET", "/nowhere", "", ""));
  CHECK(idle.read_reply().status == 404);
  RawClient delivering(port());
  delivering.send(webhook("{}"));
  held.wait_for(1);
  RawClient reading(port());
  reading.send(request_text("GET", "/v1/customers", std::string("x-api-key: ") + kApiKey + "\r\n", ""));
  gate.wait_for(1);

  auto drained = std::async(std::launch::async, [&] { return server->drain(std::chrono::seconds(10)); });
  CHECK(idle.is_closed());
  CHECK_FALSE(RawClient(server->port()).connected());
  CHECK(admin_get("/health/ready").status == 503);
  CHECK(admin_get("/health/live").status == 200);
  held.replies.at(0)(IntakeResult::stored);
  gate.open();
  const auto delivered = delivering.read_reply();
  CHECK(delivered.status == 200);
  CHECK(delivered.header("connection") == "close");
  CHECK(delivering.is_closed());
  CHECK(reading.read_reply().status == 200);
  CHECK(reading.is_closed());
  CHECK(drained.get());
  server->stop();
}

TEST_CASE_METHOD(HttpFixture, "draining ends at its deadline, and late answers are dropped", "[http][drain]") {
  HeldWebhooks held(intake);
  RawClient client(port());
  client.send(webhook("{}"));
  held.wait_for(1);
  CHECK_FALSE(server->drain(std::chrono::milliseconds(20)));
  server.reset();
  CHECK(client.is_closed());
  held.replies.at(0)(IntakeResult::stored);  // server and connection are gone
  held.replies.clear();
}

TEST_CASE_METHOD(HttpFixture, "answers from another thread reach their clients", "[http]") {
  HeldWebhooks held(intake);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(webhook("{}"));
  }
  held.wait_for(clients.size());
  for (const auto& reply : held.replies) {
    reply(IntakeResult::duplicate);
  }
  for (const auto& client : clients) {
    CHECK(client->read_reply().status == 200);
  }
}

TEST_CASE_METHOD(HttpFixture, "requests, seconds and connections are counted by route", "[http][metrics]") {
  send("POST", kWebhookPath, kSigned, "{}");
  send("GET", "/nowhere");
  as_key("GET", "/v1/customers/cust_1");
  RawClient open(port());
  open.send(webhook("{}"));
  CHECK(open.read_reply().status == 200);
  const auto text = admin_get("/metrics").body;
  CHECK(metrics.http_requests("/v1/webhooks/stripe/{tenant_id}/{environment_id}", "POST", 200).Value() == 2);
  CHECK(metrics.http_requests("/v1/customers/{id}", "GET", 404).Value() == 1);
  CHECK(metrics.http_connections("public").Value() >= 1);
  CHECK(text.find(R"(route="/v1/customers/{id}")") != std::string::npos);
  CHECK(text.find(R"(route="unmatched")") != std::string::npos);
}

}  // namespace flexsync::test
