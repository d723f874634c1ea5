#include "http/server.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <vector>

#include "http_fixture.hpp"

namespace flexsync::test {

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
