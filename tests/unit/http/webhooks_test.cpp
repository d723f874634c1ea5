#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "a webhook is verified, stored and answered", "[http][webhooks]") {
  const std::string body = "{\n \"id\": \"evt_1\"  }";  // byte for byte: the signature is over these bytes
  const auto reply = send("POST", kWebhookPath, kSigned + "X-Request-ID: req-7\r\n", body);
  CHECK(reply.status == 200);
  CHECK(reply.json() == nlohmann::json{{"message", "Webhook received"}});
  CHECK(reply.header("content-type") == "application/json");
  CHECK(reply.header("x-request-id") == "req-7");
  REQUIRE(verifier.deliveries.size() == 1);
  CHECK(verifier.deliveries[0].scope == kScope);
  CHECK(verifier.deliveries[0].signature_header == "t=1,v1=00");
  CHECK(verifier.deliveries[0].request_id == "req-7");
  CHECK(verifier.deliveries[0].body == body);
  CHECK(intake.events.at(0).payload == body);
}

TEST_CASE_METHOD(HttpFixture, "the global address leaves the scope to the event", "[http][webhooks]") {
  CHECK(send("POST", "/v1/webhooks/stripe", kSigned, "{}").status == 200);
  CHECK_FALSE(verifier.deliveries.at(0).scope.has_value());
}

TEST_CASE_METHOD(HttpFixture, "a second delivery gets the same 200", "[http][webhooks]") {
  const auto first = send("POST", kWebhookPath, kSigned, "{}");
  intake.on_store = [](const IncomingEvent&, const FakeIntake::Reply& reply) { reply(IntakeResult::duplicate); };
  const auto second = send("POST", kWebhookPath, kSigned, "{}");
  CHECK(second.status == 200);
  CHECK(second.body == first.body);
}

TEST_CASE_METHOD(HttpFixture, "without a signature header nothing is asked", "[http][webhooks]") {
  const auto reply = send("POST", kWebhookPath, "", "{}");
  CHECK(reply.status == 400);
  CHECK(reply.error()["code"] == "validation_error");
  CHECK(reply.error()["message"].get<std::string>().find("Stripe-Signature") != std::string::npos);
  CHECK(verifier.deliveries.empty());
}

TEST_CASE_METHOD(HttpFixture, "what the verifier refuses is 400 and not stored", "[http][webhooks]") {
  verifier.on_verify = [](WebhookDelivery, const FakeVerifier::Reply& reply) {
    reply(fail(ErrorCode::validation_error, "The signature does not match"));
  };
  const auto reply = send("POST", kWebhookPath, kSigned, "not JSON");
  CHECK(reply.status == 400);
  CHECK(reply.error()["message"] == "The signature does not match");
  CHECK(intake.events.empty());
}

TEST_CASE_METHOD(HttpFixture, "a store that cannot be reached is 503 with a time", "[http][webhooks]") {
  SECTION("when verifying") {
    verifier.on_verify = [](WebhookDelivery, const FakeVerifier::Reply& reply) {
      reply(fail(ErrorCode::service_unavailable, "The secrets cannot be read"));
    };
  }
  SECTION("when storing") {
    intake.on_store = [](const IncomingEvent&, const FakeIntake::Reply& reply) {
      reply(fail(ErrorCode::service_unavailable, "The store cannot be reached"));
    };
  }
  const auto reply = send("POST", kWebhookPath, kSigned, "{}");
  CHECK(reply.status == 503);
  CHECK(reply.error()["code"] == "service_unavailable");
  CHECK(reply.header("retry-after") == "1");
}

TEST_CASE_METHOD(HttpFixture, "the allow list decides by address, before the body", "[http][webhooks]") {
  config.webhook_ip_allow_list = {"3.18.12.0/24"};
  SECTION("a stranger") {
    RawClient client(port());
    client.send("POST " + std::string(kWebhookPath) + " HTTP/1.1\r\n" + kSigned + "Content-Length: 2\r\n\r\n");
    const auto reply = client.read_reply();
    CHECK(reply.status == 403);
    CHECK(reply.error()["code"] == "permission_denied");
    CHECK(verifier.deliveries.empty());
    CHECK(as_key("GET", "/v1/customers").status == 200);  // the list is about webhooks
  }
  SECTION("a stranger who claims to be Stripe") {
    CHECK(send("POST", kWebhookPath, kSigned + "X-Forwarded-For: 3.18.12.63\r\n", "{}").status == 403);
  }
  SECTION("Stripe behind our proxy") {
    config.trusted_proxies = {"127.0.0.1"};
    CHECK(send("POST", kWebhookPath, kSigned + "X-Forwarded-For: 10.9.9.9, 3.18.12.63\r\n", "{}").status == 200);
    CHECK(send("POST", kWebhookPath, kSigned + "X-Forwarded-For: 3.18.12.63, 10.9.9.9\r\n", "{}").status == 403);
  }
  SECTION("the list names the peer") {
    config.webhook_ip_allow_list = {"127.0.0.0/8"};
    CHECK(send("POST", kWebhookPath, kSigned, "{}").status == 200);
  }
}

TEST_CASE_METHOD(HttpFixture, "webhooks are posted", "[http][webhooks]") {
  const auto reply = send("GET", kWebhookPath);
  CHECK(reply.status == 405);
  CHECK(reply.header("allow") == "POST");
}

}  // namespace flexsync::test
