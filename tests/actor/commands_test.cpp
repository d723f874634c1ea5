// API commands through the supervisors and the customer's actor to Stripe and back: who is answered, when, with what.
#include <catch2/catch.hpp>

#include "actors/node_supervisor.hpp"
#include "support/actor_fixture.hpp"
#include "support/live_stripe.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

struct Answer {
  int times = 0;
  std::optional<Result<CustomerReply>> reply;

  bool ok() const { return times == 1 && reply->has_value(); }
  bool is(ErrorCode code) const { return times == 1 && !reply->has_value() && reply->error().code == code; }
  IntentState intent() const { return (*reply)->intent->state; }
};

struct Fixture : ActorFixture {
  Fixture() {
    stripe = &live;
    config.push_retry = {0, milliseconds{500}, seconds{20}};
  }

  void start() {
    node = own(system.spawn(node_supervisor, services()));
    run();
  }

  std::shared_ptr<Answer> execute(const std::string& customer, decltype(CustomerCommand::action) action,
                                  std::optional<milliseconds> wait = {}, const Scope& scope = kTenant) {
    CustomerCommand command;
    command.scope = scope;
    command.customer_id = CustomerId(customer);
    command.action = std::move(action);
    command.push = true;
    command.wait = wait;
    command.by.label = "api_key:secret_1";
    const auto answer = std::make_shared<Answer>();
    caf::anon_send(node, execute_atom::value,
                   std::make_shared<PendingCommand>(
                       command,
                       [answer](Result<CustomerReply> reply) {
                         ++answer->times;
                         answer->reply = std::move(reply);
                       },
                       fail(ErrorCode::service_unavailable, "given up")));
    run();
    return answer;
  }

  std::shared_ptr<Answer> create(const std::string& customer, std::optional<milliseconds> wait = {},
                                 const Scope& scope = kTenant) {
    CreateCustomer action;
    action.external_id = "ext_" + customer;
    action.fields.name = customer;
    return execute(customer, action, wait, scope);
  }

  std::shared_ptr<Answer> rename(const std::string& customer, const std::string& name,
                                 std::optional<milliseconds> wait = {}, const Scope& scope = kTenant) {
    UpdateCustomer action;
    action.name = name;
    return execute(customer, action, wait, scope);
  }

  std::size_t ready(const Scope& scope = kTenant) const {
    std::size_t count = 0;
    for (const auto& intent : store.intents(scope)) {
      count += intent.state == IntentState::ready ? 1 : 0;
    }
    return count;
  }

  LiveStripe live{held, clock};
  node_supervisor_actor node;
};

}  // namespace

TEST_CASE("a command is answered when it is durable; Stripe hears of it after") {
  Fixture f;
  f.held.hold.insert("stripe");
  f.start();
  const auto answer = f.create("a");
  REQUIRE(answer->ok());
  CHECK((*answer->reply)->customer.version == 1);
  CHECK(answer->intent() == IntentState::ready);
  CHECK_FALSE((*answer->reply)->mapping);
  CHECK(f.live.objects().empty());
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  CHECK(f.live.objects().size() == 1);
  CHECK(f.store.live_mapping(kTenant, StripeId("cus_1"))->entity_id == "a");
}

TEST_CASE("who waits is answered when Stripe has answered, with the mapping") {
  Fixture f;
  f.held.hold.insert("stripe");
  f.start();
  const auto answer = f.create("a", seconds{10});
  CHECK(answer->times == 0);
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  REQUIRE(answer->ok());
  CHECK(answer->intent() == IntentState::settled);
  CHECK((*answer->reply)->mapping->provider_entity_id == "cus_1");
}

TEST_CASE("who waits long enough hears how far it has come; another one's wait is its own") {
  Fixture f;
  f.live.down = true;
  f.start();
  const auto patient = f.create("a", seconds{60});
  const auto hasty = f.execute("a", SyncCustomerToStripe{}, seconds{2});
  f.advance(seconds{3});
  REQUIRE(hasty->ok());
  CHECK(hasty->intent() == IntentState::ready);
  CHECK(patient->times == 0);
  f.live.down = false;
  f.advance(seconds{50});
  REQUIRE(patient->ok());
  CHECK(patient->intent() == IntentState::settled);
  f.advance(seconds{60});
  CHECK(patient->times == 1);
  CHECK(hasty->times == 1);
}

TEST_CASE("who waits hears a refusal") {
  Fixture f;
  f.start();
  REQUIRE(f.create("a")->ok());
  f.live.remove(StripeId("cus_1"));  // its event has not come yet
  const auto answer = f.rename("a", "Bob", seconds{10});
  REQUIRE(answer->ok());
  CHECK(answer->intent() == IntentState::refused);
  CHECK((*answer->reply)->intent->error_code == "resource_missing");
}

TEST_CASE("nothing to push: nothing to wait for") {
  Fixture f;
  f.start();
  REQUIRE(f.create("a")->ok());
  const auto answer = f.rename("a", "a", seconds{10});
  REQUIRE(answer->ok());
  CHECK_FALSE((*answer->reply)->intent);
}

TEST_CASE("commands before the tenant is owned wait for that; if it cannot be, they are told") {
  Fixture f;
  f.held.hold.insert("own");
  f.config.commands_max = 3;
  f.start();
  const auto first = f.create("a");
  const auto second = f.create("b");
  const auto third = f.create("c");
  const auto one_too_many = f.create("d");
  CHECK(first->times == 0);
  CHECK(one_too_many->is(ErrorCode::too_many_requests));
  SECTION("owned") {
    f.held.finish("own");
    f.run();
    CHECK(first->ok());
    CHECK(second->ok());
    CHECK(third->ok());
  }
  SECTION("not to be owned") {
    f.inbox.ownership.next(ReadFault::unavailable);
    f.held.finish("own");
    f.run();
    const auto late = f.create("e");
    f.held.finish_all();
    f.run();
    f.advance(seconds{2});
    f.held.finish_all();
    f.run();
    CHECK(first->times == 1);
    CHECK(late->times == 1);
  }
}

TEST_CASE("too many commands of a tenant or of a customer are refused, and there is room again afterwards") {
  Fixture f;
  f.config.commands_max = 6;
  f.config.entity_queue_max = 4;
  f.held.hold.insert("change");
  f.start();
  std::vector<std::shared_ptr<Answer>> same;
  for (int i = 0; i < 5; ++i) {
    same.push_back(f.create("a"));
  }
  CHECK(same[3]->times == 0);
  CHECK(same[4]->is(ErrorCode::too_many_requests));
  CHECK(f.create("b")->times == 0);
  CHECK(f.create("c")->times == 0);
  CHECK(f.create("d")->is(ErrorCode::too_many_requests));
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  CHECK(same[0]->ok());
  CHECK(same[1]->is(ErrorCode::already_exists));
  CHECK(f.create("d")->ok());
}

TEST_CASE("an actor that falls answers 503, and the customer recovers") {
  Fixture f;
  f.start();
  REQUIRE(f.create("a")->ok());
  f.changes.script.next({ChangeResult::committed, false, true});
  CHECK(f.rename("a", "Bob")->is(ErrorCode::service_unavailable));
  CHECK(f.rename("a", "Cleo")->is(ErrorCode::service_unavailable));  // it is down
  f.advance(seconds{1});
  CHECK(f.rename("a", "Dora")->ok());
  f.advance(seconds{1});
  CHECK(f.live.objects().at("cus_1").state.name == "Dora");
}

TEST_CASE("who waits when the actor falls hears how far it had come") {
  Fixture f;
  f.live.down = true;
  f.start();
  const auto waiting = f.create("a", seconds{60});
  f.changes.script.next({ChangeResult::committed, false, true});
  CHECK(f.rename("a", "Bob")->is(ErrorCode::service_unavailable));
  REQUIRE(waiting->ok());
  CHECK(waiting->intent() == IntentState::ready);
}

TEST_CASE("the store away: the caller is told, and nothing is pushed that was not stored") {
  Fixture f;
  f.start();
  f.changes.script.next({ChangeResult::unavailable});
  CHECK(f.create("a")->is(ErrorCode::service_unavailable));
  f.snapshots.script.next(ReadFault::unavailable);
  CHECK(f.rename("a", "Bob")->is(ErrorCode::service_unavailable));
  f.advance(seconds{10});
  CHECK(f.live.requests().empty());
  CHECK(f.create("a")->ok());
}

TEST_CASE("another owner: the command is answered, and nothing is written") {
  Fixture f;
  f.start();
  REQUIRE(f.create("a")->ok());
  f.store.take_ownership(kTenant);
  CHECK(f.rename("a", "Bob")->is(ErrorCode::service_unavailable));
  CHECK(f.rename("a", "Cleo")->ok());  // taken over again
}

TEST_CASE("ten minutes without Stripe, with work arriving: all of it drains, in order; another tenant never notices") {
  Fixture f;
  f.start();
  LiveStripe& live = f.live;
  f.keys[kOtherTenant] = "sk_test_2";
  REQUIRE(f.create("a")->ok());
  REQUIRE(f.create("b", {}, kOtherTenant)->ok());
  f.advance(seconds{2});
  live.down_for = "sk_test_1";
  for (int minute = 0; minute < 10; ++minute) {
    for (int i = 0; i < 3; ++i) {
      const auto name = std::to_string(minute) + "_" + std::to_string(i);
      CHECK(f.rename("a", name)->ok());
      CHECK(f.create("c" + name)->ok());
      const auto told = f.rename("b", name, seconds{5}, kOtherTenant);
      f.advance(seconds{1});
      REQUIRE(told->ok());  // although it waits for Stripe
      CHECK(told->intent() == IntentState::settled);
    }
    f.advance(seconds{57});
  }
  CHECK(f.ready() == 60);
  live.down_for.clear();
  f.advance(minutes{3});
  CHECK(f.ready() == 0);
  CHECK(f.ready(kOtherTenant) == 0);
  CHECK(live.objects().size() == 32);
  CHECK(live.objects().at("cus_1").state.name == "9_2");
  std::vector<std::string> told;
  for (const auto& request : live.requests()) {
    if (request.executed && request.method == "POST" && request.path == "/v1/customers/cus_1") {
      told.push_back(request.body);
    }
  }
  CHECK(told.size() == 30);
  CHECK(std::is_sorted(told.begin(), told.end()));
}
