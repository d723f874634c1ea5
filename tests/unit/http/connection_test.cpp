// What one connection does with good, bad, large, slow and broken input.
#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

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

}  // namespace flexsync::test
