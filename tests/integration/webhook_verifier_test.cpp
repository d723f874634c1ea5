#include "app/webhook_verifier.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "integration/store_world.hpp"
#include "stripe/signature.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::app::kUnclaimedScope;
using flexsync::app::StripeWebhookVerifier;
using flexsync::testing::kStart;
using flexsync::testing::PostgresFixture;
using flexsync::testing::StoreWorld;

namespace {

std::string body(bool livemode = false, const std::string& account = "") {
  return R"({"id":"evt_1","object":"event","type":"customer.updated","api_version":"2026-10-28.endive","created":)" +
         std::to_string(to_unix_seconds(kStart) - 5) + R"(,"livemode":)" + (livemode ? "true" : "false") +
         (account.empty() ? "" : R"(,"account":")" + account + '"') +
         R"(,"data":{"object":{"id":"cus_1","object":"customer","name":"Ada"}}})";
}

struct World : StoreWorld {
  Scope scope = new_scope();
  store::ConnectionCache cache{pool, secrets, clock};
  StripeWebhookVerifier verifier{cache, clock, {Secret("whsec_global")}};
  Connection connection;

  World() {
    connection.scope = scope;
    connection.name = "Stripe";
    connection.provider_type = "stripe";
    const StripeSecrets given{{}, Secret("sk_test_1"), {Secret("whsec_a"), Secret("whsec_b")}, "acct_1"};
    connection = provisioning.create_connection(connection, given, admin).value();
  }

  void set_secret(const std::string& secret) {
    Connection change;
    change.id = connection.id;
    change.scope = scope;
    REQUIRE(provisioning.update_connection(change, {{}, {}, {Secret(secret)}, ""}, admin));
  }

  WebhookDelivery signed_with(const std::string& secret, std::string text) const {
    auto header = stripe::sign(text, Secret(secret), clock.now());
    return {scope, std::move(header), "req_1", std::move(text)};
  }
  WebhookDelivery global(std::string text, const std::string& secret = "whsec_global") const {
    auto delivery = signed_with(secret, std::move(text));
    delivery.scope.reset();
    return delivery;
  }

  Result<IncomingEvent> verify(WebhookDelivery delivery) { return verify_by(verifier, std::move(delivery)); }

  static Result<IncomingEvent> verify_by(StripeWebhookVerifier& by, WebhookDelivery delivery) {
    std::promise<Result<IncomingEvent>> promise;
    by.verify(std::move(delivery), [&](Result<IncomingEvent> event) { promise.set_value(std::move(event)); });
    return promise.get_future().get();
  }

  std::string refusal(WebhookDelivery delivery) {
    const auto event = verify(std::move(delivery));
    REQUIRE_FALSE(event);
    CHECK(event.error().code == ErrorCode::validation_error);
    return event.error().message;
  }
};

}  // namespace

TEST_CASE("a webhook that Stripe signed becomes an event, its body untouched", "[webhook_verifier]") {
  World world;
  const auto text = body();
  const auto event = world.verify(world.signed_with("whsec_a", text));
  REQUIRE(event);
  CHECK(event->scope == world.scope);
  CHECK(event->id.str() == "evt_1");
  CHECK(event->type == "customer.updated");
  CHECK(event->object_type == "customer");
  CHECK(event->object_id == "cus_1");
  CHECK(event->api_version == "2026-10-28.endive");
  CHECK(event->created == from_unix_seconds(to_unix_seconds(kStart) - 5));
  CHECK(event->received == kStart);
  CHECK(event->request_id == "req_1");
  CHECK(event->ignored.empty());
  CHECK(event->payload == text);
  CHECK(world.verify(world.signed_with("whsec_b", text)));  // while it is rolled, either
}

TEST_CASE("the body is moved from delivery to event, never copied", "[webhook_verifier]") {
  World world;
  REQUIRE(world.verify(world.signed_with("whsec_a", body())));  // now it is known
  auto delivery = world.signed_with("whsec_a", body());
  const void* const bytes = delivery.body.data();
  bool answered = false;
  world.verifier.verify(std::move(delivery), [&](const Result<IncomingEvent>& event) {
    answered = true;
    CHECK(event.value().payload.data() == bytes);
  });
  CHECK(answered);  // on the caller's thread
}

TEST_CASE("what Stripe did not sign is refused", "[webhook_verifier]") {
  World world;
  CHECK(world.refusal({world.scope, "", "req_1", body()}) == "the Stripe-Signature header is missing");
  CHECK_FALSE(world.refusal(world.signed_with("whsec_wrong", body())).empty());
  auto changed = world.signed_with("whsec_a", body());
  changed.body += ' ';
  CHECK_FALSE(world.refusal(changed).empty());
  auto late = world.signed_with("whsec_a", body());
  world.clock.advance(301s);
  CHECK_FALSE(world.refusal(late).empty());
}

TEST_CASE("a signed body that is no event is refused, and a stranger's is not even parsed", "[webhook_verifier]") {
  World world;
  const auto malformed = world.refusal(world.signed_with("whsec_a", "{\"id\":"));
  const auto unsigned_one = world.refusal(world.signed_with("whsec_wrong", "{\"id\":"));
  CHECK(malformed != unsigned_one);
  CHECK(unsigned_one == world.refusal(world.signed_with("whsec_wrong", body())));
}

TEST_CASE("an unknown tenant or environment and one without a connection get the same answer", "[webhook_verifier]") {
  World world;
  const std::string expected = "Stripe connection not configured for this environment";
  auto delivery = world.signed_with("whsec_a", body());
  for (const auto& scope :
       {Scope{TenantId{"tenant_none"}, world.scope.environment}, Scope{world.scope.tenant, EnvironmentId{"env_none"}},
        Scope{}, Scope{TenantId{world.scope.tenant.str() + std::string("\0x", 2)}, world.scope.environment},
        world.new_scope("Unconnected"), Scope{world.new_scope("Other").tenant, world.scope.environment}}) {
    delivery.scope = scope;
    CHECK(world.refusal(delivery) == expected);
  }
}

TEST_CASE("a connection without a webhook secret says so", "[webhook_verifier]") {
  World world;
  world.sql("UPDATE connections SET secrets = secrets - 'webhook_secrets'");
  CHECK(world.refusal(world.signed_with("whsec_a", body())) == "Webhook secret not configured");
}

TEST_CASE("a secret that another process rolled works at its first webhook", "[webhook_verifier]") {
  World world;
  REQUIRE(world.verify(world.signed_with("whsec_a", body())));
  world.set_secret("whsec_rolled");
  CHECK(world.verify(world.signed_with("whsec_rolled", body())));
  CHECK_FALSE(world.refusal(world.signed_with("whsec_a", body())).empty());
}

TEST_CASE("an event of the other mode is stored, ignored", "[webhook_verifier]") {
  World world;
  const auto event = world.verify(world.signed_with("whsec_a", body(/*livemode=*/true)));
  REQUIRE(event);
  CHECK(event->scope == world.scope);
  CHECK(event->ignored == "the event is of live mode, the connection is for test mode");
}

TEST_CASE("while the secrets cannot be read, Stripe is asked to come again", "[webhook_verifier]") {
  World world;
  PostgresFixture::instance().stop();
  const auto event = world.verify(world.signed_with("whsec_a", body()));
  PostgresFixture::instance().start();
  REQUIRE_FALSE(event);
  CHECK(event.error().code == ErrorCode::service_unavailable);
  CHECK(world.verify(world.signed_with("whsec_a", body())));

  world.sql("UPDATE connections SET secrets = replace(secrets::text, '\"k1\"', '\"gone\"')::jsonb");
  world.cache.invalidate(world.scope);
  const auto unreadable = world.verify(world.signed_with("whsec_a", body()));
  REQUIRE_FALSE(unreadable);
  CHECK(unreadable.error().code == ErrorCode::service_unavailable);
  CHECK(unreadable.error().message.find("gone") == std::string::npos);  // our keys are no stranger's business
}

TEST_CASE("at the global address the event itself selects the connection", "[webhook_verifier]") {
  World world;
  const auto ours = world.verify(world.global(body(false, "acct_1")));
  REQUIRE(ours);
  CHECK(ours->scope == world.scope);
  CHECK(ours->ignored.empty());

  const auto unknown = world.verify(world.global(body(false, "acct_unknown")));
  REQUIRE(unknown);
  CHECK(unknown->scope == kUnclaimedScope);
  CHECK(unknown->ignored == "no Stripe connection of account acct_unknown in test mode");
  CHECK(world.verify(world.global(body(true, "acct_1")))->ignored ==
        "no Stripe connection of account acct_1 in live mode");
  CHECK(world.verify(world.global(body()))->ignored == "no Stripe connection marked default in test mode");

  CHECK_FALSE(world.refusal(world.global(body(), "whsec_a")).empty());
  CHECK_FALSE(world.refusal(world.global("{}")).empty());
  StripeWebhookVerifier closed(world.cache, world.clock, {});
  const auto refused = World::verify_by(closed, world.global(body()));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "Webhook secret not configured");
}

TEST_CASE("verifying is cheap", "[webhook_verifier][!benchmark]") {
  World world;
  REQUIRE(world.verify(world.signed_with("whsec_a", body())));
  auto text = body();
  text.insert(text.size() - 1, R"(,"padding":")" + std::string(2'000, 'x') + '"');
  const auto header = stripe::sign(text, Secret("whsec_b"), kStart);
  constexpr int kRounds = 50'000;
  const auto begin = std::chrono::steady_clock::now();
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    world.verifier.verify({world.scope, header, "req_1", text},
                          [&](const Result<IncomingEvent>& event) { accepted += event ? 1 : 0; });
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  CHECK(accepted == kRounds);
  WARN("verified per second on one thread: " << static_cast<int>(kRounds / taken.count()));
}
