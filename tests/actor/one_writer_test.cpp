// Rule 2 of the design: an API call and a webhook on one customer cannot interleave. Both go through the customer's
// actor, which holds the one back while the other's load, decision and write are under way.
#include <catch2/catch.hpp>

#include "actors/node_supervisor.hpp"
#include "support/actor_fixture.hpp"
#include "support/live_stripe.hpp"
#include "sync/customer_fields.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::seconds;

namespace {

const CustomerId kAda("cust_ada");

struct Fixture : ActorFixture {
  Fixture() {
    stripe = &live;
    Customer customer;
    customer.id = kAda;
    customer.external_id = "ext_1";
    customer.version = 1;
    store.put(kTenant, customer);
    const auto id = live.create(customer_state("", "Ada"));
    REQUIRE(id == StripeId("cus_1"));
    live.events.clear();
    Mapping mapping;
    mapping.id = MappingId("eim_1");
    mapping.entity_type = "customer";
    mapping.entity_id = kAda.str();
    mapping.provider_type = "stripe";
    mapping.provider_entity_id = id.str();
    store.put(kTenant, mapping);
    held.hold = {"load", "change"};
  }

  void start() {
    node = own(system.spawn(node_supervisor, services()));
    run();
  }

  // Stripe names the customer so, and its webhook comes.
  void webhook(const std::string& name) {
    clock.advance(seconds{5});
    auto state = live.objects().at("cus_1").state;
    state.name = name;
    live.change(state.id, state);
    deliver("evt_1", "customer.updated", state, to_unix_seconds(clock.now()));
    caf::anon_send(node, wake_atom::value, kTenant);
    run();
  }

  void command(const std::string& email) {
    CustomerCommand wanted;
    wanted.scope = kTenant;
    wanted.customer_id = kAda;
    UpdateCustomer update;
    update.email = email;
    wanted.action = update;
    wanted.push = true;
    wanted.by.label = "api_key:secret_1";
    caf::anon_send(node, execute_atom::value,
                   std::make_shared<PendingCommand>(
                       wanted, [this](Result<CustomerReply> reply) { replies.push_back(std::move(reply)); },
                       fail(ErrorCode::service_unavailable, "")));
    run();
  }

  // One step of the store at a time; never two of this customer's at once.
  void finish_step_by_step() {
    std::mt19937_64 random(1);
    while (held.waiting() > 0) {
      CHECK(held.waiting() == 1);
      held.step(random);
      run();
    }
  }

  const Customer& ada() const { return *store.customer(kTenant, kAda); }

  // Who wrote, in the order in which it was submitted: each on the version that the one before had made.
  std::vector<std::string> writers() const {
    std::vector<std::string> all;
    std::int64_t version = 1;
    for (const auto& change : changes.submitted) {
      if (change.customer) {
        CHECK(change.customer->version == ++version);
        all.push_back(change.customer->updated_by);
      }
    }
    return all;
  }

  LiveStripe live{held, clock};
  node_supervisor_actor node;
  std::vector<Result<CustomerReply>> replies;
};

using Writers = std::vector<std::string>;

}  // namespace

TEST_CASE("an API call waits while a webhook of the same customer is applied, at whatever step that is") {
  for (const int steps : {0, 1, 2, 3}) {  // of the webhook's load and write, when the call comes
    Fixture f;
    f.start();
    f.webhook("Bob");
    std::mt19937_64 random(1);
    for (int i = 0; i < steps; ++i) {
      f.held.step(random);
      f.run();
    }
    f.command("bob@example.com");
    CHECK(f.replies.empty());
    f.finish_step_by_step();
    REQUIRE(f.replies.size() == 1);
    CHECK(f.replies[0]->customer.fields.name == "Bob");
    CHECK(f.replies[0]->customer.version == 3);
    CHECK(f.ada().fields.name == "Bob");
    CHECK(f.ada().fields.email == "bob@example.com");
    const auto writers = f.writers();
    REQUIRE(writers.size() >= 2);
    CHECK(Writers(writers.begin(), writers.begin() + 2) == Writers{"stripe", "api_key:secret_1"});
  }
}

TEST_CASE("a webhook waits while an API call of the same customer is carried out, at whatever step that is") {
  for (const int steps : {0, 1, 2, 3}) {
    Fixture f;
    f.start();
    f.command("bob@example.com");
    std::mt19937_64 random(1);
    for (int i = 0; i < steps; ++i) {
      f.held.step(random);
      f.run();
    }
    f.webhook("Bob");
    f.finish_step_by_step();
    REQUIRE(f.replies.size() == 1);
    CHECK(f.replies[0]->customer.fields.name.empty());
    CHECK(f.replies[0]->customer.version == 2);
    CHECK(f.ada().fields.name == "Bob");
    CHECK(f.ada().fields.email == "bob@example.com");
    const auto writers = f.writers();
    REQUIRE(writers.size() >= 2);
    CHECK(Writers(writers.begin(), writers.begin() + 2) == Writers{"api_key:secret_1", "stripe"});
  }
}
