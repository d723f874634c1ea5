#include "actors/stripe_client.hpp"

#include <catch2/catch.hpp>

#include "support/actor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::seconds;

namespace {

using Asker = caf::typed_actor<caf::reacts_to<wake_atom>>;

struct Fixture : ActorFixture {
  void start() { client = own(system.spawn(stripe_client, services(), kTenant)); }

  // Asks for a customer; what came back is in `answers`, a request that failed in `errors`.
  void ask(const std::string& id) {
    const auto asker = own(system.spawn([this, id](Asker::pointer self) {
      return Asker::behavior_type{[this, id, self](wake_atom) {
        self->request(client, seconds{600}, fetch_atom::value, std::string("customer"), StripeId(id))
            .then([this](const RetrieveOutcomePtr& outcome) { answers.push_back(*outcome); },
                  [this](const caf::error&) { ++errors; });
      }};
    }));
    caf::anon_send(asker, wake_atom::value);
    run();
  }

  template <class Outcome>
  bool answered() const {
    return answers.size() == 1 && std::holds_alternative<Outcome>(answers.front());
  }

  stripe_client_actor client;
  std::vector<stripe::RetrieveOutcome> answers;
  int errors = 0;
};

}  // namespace

TEST_CASE("stripe_client fetches an object with the tenant's key and its own timeout") {
  Fixture f;
  f.start();
  f.transport.states["cus_1"] = customer_state("cus_1", "Ada");
  f.ask("cus_1");
  REQUIRE(f.answered<stripe::Found>());
  const auto& found = std::get<stripe::Found>(f.answers.front());
  CHECK(stripe::parse_customer(found.object_json)->name == "Ada");
  CHECK(found.true_during.to == f.clock.now());
  CHECK(found.true_during.from <= f.clock.now() - seconds{1});
  REQUIRE(f.transport.requests.size() == 1);
  CHECK(f.transport.requests[0].path == "/v1/customers/cus_1");
  CHECK(f.transport.requests[0].api_key.reveal() == "sk_test_1");
  CHECK(f.transport.requests[0].timeout == f.config.stripe_timeout);
}

TEST_CASE("without a key Stripe cannot be asked, and no call is made") {
  Fixture f;
  f.key = Secret();
  f.start();
  f.ask("cus_1");
  CHECK(f.answered<stripe::CannotAsk>());
  CHECK(f.transport.requests.empty());
}

TEST_CASE("a key that cannot be read now is asked for again later") {
  Fixture f;
  f.key = fail(ErrorCode::service_unavailable, "no database");
  f.start();
  f.ask("cus_1");
  CHECK(f.answered<stripe::RetryLater>());
}

TEST_CASE("a timeout and a 5xx are to be retried, a 404 and a 401 are not") {
  Fixture f;
  f.start();
  SECTION("timeout") {
    f.transport.script.next(0);
    f.ask("cus_1");
    CHECK(f.answered<stripe::RetryLater>());
  }
  SECTION("503") {
    f.transport.script.next(503);
    f.ask("cus_1");
    CHECK(f.answered<stripe::RetryLater>());
  }
  SECTION("404") {
    f.ask("cus_unknown");
    CHECK(f.answered<stripe::NotFound>());
  }
  SECTION("401") {
    f.transport.script.next(401);
    f.ask("cus_1");
    CHECK(f.answered<stripe::CannotAsk>());
  }
}

TEST_CASE("answers find their askers, in whatever order they come") {
  Fixture f;
  f.held.hold.insert("stripe");
  f.start();
  for (const auto* id : {"cus_1", "cus_2", "cus_3"}) {
    f.transport.states[id] = customer_state(id, id);
    f.ask(id);
  }
  std::mt19937_64 random(7);
  while (f.held.step(random)) {
    f.run();
  }
  REQUIRE(f.answers.size() == 3);
  std::set<std::string> ids;
  for (const auto& answer : f.answers) {
    ids.insert(stripe::parse_customer(std::get<stripe::Found>(answer).object_json)->id.str());
  }
  CHECK(ids == std::set<std::string>{"cus_1", "cus_2", "cus_3"});
}

TEST_CASE("more calls than its limit are refused, not queued") {
  Fixture f;
  f.config.stripe_calls_max = 2;
  f.held.hold.insert("stripe");
  f.start();
  f.ask("cus_1");
  f.ask("cus_2");
  CHECK(f.answers.empty());
  f.ask("cus_3");
  CHECK(f.answered<stripe::RetryLater>());
  f.held.finish("stripe");
  f.run();
  f.ask("cus_4");
  CHECK(f.transport.requests.size() == 3);
}

TEST_CASE("when it dies, whoever waits is answered, and late answers disturb nobody") {
  Fixture f;
  f.held.hold.insert("stripe");
  f.start();
  f.ask("cus_1");
  caf::anon_send_exit(f.client, caf::exit_reason::user_shutdown);
  f.run();
  CHECK(f.answers.size() + static_cast<std::size_t>(f.errors) == 1);
  f.held.finish_all();
  f.run();
  CHECK(f.answers.size() + static_cast<std::size_t>(f.errors) == 1);
}
