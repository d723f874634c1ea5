// The timer that bills usage: when windows are closed, what is sent when, and what every answer and failure leads to.
#include "actors/usage_timer.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <set>

#include "support/actor_fixture.hpp"
#include "support/fake_usage_ledger.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

using Promise = caf::typed_response_promise<CallOutcomePtr>;

CallOutcomePtr outcome_of(stripe::CallOutcome outcome) {
  return std::make_shared<const stripe::CallOutcome>(std::move(outcome));
}

const stripe::CallOutcome kExists =
    stripe::Refused{"invalid_request_error", "An event already exists with identifier fs_batch_1.", "identifier"};

// What Stripe's client was asked, and what it is told to answer.
struct ClientScript {
  std::vector<stripe::Call> calls;
  std::deque<stripe::CallOutcome> answers;  // then all are taken
  bool hold = false;                        // answered only by `release`
  std::vector<Promise> held;
};

stripe_client_actor fake_client(ActorFixture& fixture, ClientScript& script) {
  return fixture.own(fixture.system.spawn([&script](stripe_client_actor::pointer self) {
    return stripe_client_actor::behavior_type{
        [&script, self](call_atom, const StripeCallPtr& call) {
          script.calls.push_back(*call);
          auto promise = self->make_response_promise<CallOutcomePtr>();
          script.held.push_back(promise);
          if (!script.hold) {
            self->send(self, rekeyed_atom::value);
          }
          return promise;
        },
        [&script](rekeyed_atom) {
          for (auto& promise : std::exchange(script.held, {})) {
            stripe::CallOutcome answer = stripe::Answered{"{}", {}};
            if (!script.answers.empty()) {
              answer = script.answers.front();
              script.answers.pop_front();
            }
            promise.deliver(outcome_of(std::move(answer)));
          }
        },
        [](keyed_atom, std::uint64_t, const KeyPtr&) {},
        [](answered_atom, std::uint64_t, const HttpResultPtr&) {},
        [](tick_atom) {},
    };
  }));
}

struct Fixture : ActorFixture {
  Fixture() {
    usage = &ledger;
    client = fake_client(*this, script);
  }

  void start() {
    actor = own(system.spawn(usage_timer, services(), kTenant, client));
    caf::anon_send(actor, owned_atom::value, ledger.epoch);
    run();
  }

  UsageBatch batch(const std::string& id, const std::string& customer = "cust_1", int sequence = 1) {
    UsageBatch made;
    made.id = BatchId("batch_" + id);
    made.customer_id = CustomerId(customer);
    made.meter_id = MeterId("meter_1");
    made.stripe_customer_id = StripeId("cus_" + customer);
    made.event_name = "calls";
    made.customer_key = "stripe_customer_id";
    made.value_key = "value";
    made.value = 7;
    made.window = {clock.now() - 2h, clock.now() - 1h};
    made.sequence = sequence;
    made.identifier = "fs_batch_" + id;
    made.timestamp = clock.now() - 1h - 1s;
    made.next_attempt_at = clock.now();
    return made;
  }

  const UsageBatch& stored(const std::string& id) { return ledger.batches.at(BatchId("batch_" + id)); }

  void release() {
    caf::anon_send(client, rekeyed_atom::value);
    run();
  }

  std::vector<std::string> sent_bodies() const {
    std::vector<std::string> bodies;
    for (const auto& call : script.calls) {
      bodies.push_back(call.body);
    }
    return bodies;
  }

  FakeUsageLedger ledger{held};
  ClientScript script;
  stripe_client_actor client;
  usage_timer_actor actor;
};

}  // namespace

TEST_CASE("usage_timer does nothing before it owns the tenant, and nothing without a ledger") {
  Fixture f;
  f.ledger.add(f.batch("1"));
  f.actor = f.own(f.system.spawn(usage_timer, f.services(), kTenant, f.client));
  f.advance(1min);
  CHECK(f.ledger.close_requests.empty());
  CHECK(f.script.calls.empty());

  Fixture without;
  without.usage = nullptr;
  without.start();
  caf::anon_send(without.actor, wake_atom::value);
  without.advance(1min);
  CHECK(without.ledger.pages == 0);
  CHECK(without.is_alive(without.actor.address()));
}

TEST_CASE("windows are closed at once while there are more, then once an interval") {
  Fixture f;
  f.config.usage_close_batches_max = 2;
  f.held.hold = {"pending"};
  for (const auto* id : {"1", "2", "3", "4", "5"}) {
    f.ledger.to_close.push_back(f.batch(id, std::string("cust_") + id));
  }
  f.start();
  REQUIRE(f.ledger.close_requests.size() == 3);
  CHECK(f.ledger.close_requests.front().epoch == 1);
  CHECK(f.ledger.close_requests.front().now == f.clock.now());
  CHECK(f.ledger.close_requests.front().grace == f.config.usage_grace);
  CHECK(f.ledger.close_requests.front().age_max == f.config.usage_policy.age_max);
  CHECK(f.metrics.usage_batches_made().Value() == 5);
  f.advance(f.config.usage_close_interval - 1s);
  CHECK(f.ledger.close_requests.size() == 3);
  f.advance(2s);
  CHECK(f.ledger.close_requests.size() == 4);
}

TEST_CASE("a failure to close is tried again, and nothing is closed twice at once") {
  Fixture f;
  f.ledger.close_faults.next(ErrorCode::service_unavailable, 2);
  f.ledger.to_close.push_back(f.batch("1"));
  f.start();
  CHECK(f.ledger.close_requests.size() == 1);
  f.advance(2s);
  CHECK(f.ledger.close_requests.size() == 3);
  CHECK(f.stored("1").status == BatchStatus::sent);

  Fixture slow;
  slow.held.hold = {"close"};
  slow.start();
  slow.advance(1min);
  CHECK(slow.held.waiting("close") == 1);
}

TEST_CASE("a batch is booked as being sent, then sent, then booked as sent") {
  Fixture f;
  f.held.hold = {"book"};
  f.ledger.add(f.batch("1"));
  f.start();
  CHECK(f.script.calls.empty());
  f.held.finish("book");
  CHECK(f.stored("1").first_sent_at == f.clock.now());
  CHECK(f.stored("1").status == BatchStatus::pending);
  f.run();
  REQUIRE(f.script.calls.size() == 1);
  const auto& call = f.script.calls.front();
  CHECK(call.lane == stripe::Lane::usage);
  CHECK(call.method == "POST");
  CHECK(call.idempotency_key == "fs_batch_1");
  CHECK(call.body.find("fs_batch_1") != std::string::npos);
  f.held.finish("book");
  f.run();
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("1").synced_at == f.clock.now());
  CHECK(f.stored("1").attempts == 1);
  CHECK(f.metrics.usage_batches("sent").Value() == 1);
  f.advance(1min);
  CHECK(f.script.calls.size() == 1);
}

TEST_CASE("one batch of a customer and meter is in flight, in order; others do not wait for it") {
  Fixture f;
  f.script.hold = true;
  f.ledger.add(f.batch("1", "cust_1", 1));
  f.ledger.add(f.batch("2", "cust_1", 2));
  f.ledger.add(f.batch("3", "cust_2", 1));
  f.start();
  f.advance(20s);  // sweeps find the second again and again
  CHECK(f.script.calls.size() == 2);
  f.release();
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("3").status == BatchStatus::sent);
  REQUIRE(f.script.calls.size() == 3);
  CHECK(f.script.calls.back().idempotency_key == "fs_batch_2");
  f.release();
  CHECK(f.stored("2").status == BatchStatus::sent);
}

TEST_CASE("no more are in flight than allowed, and in the end all are sent") {
  Fixture f;
  f.config.usage_page_rows_max = 3;
  f.config.usage_in_flight_max = 6;
  f.script.hold = true;
  for (int i = 0; i < 50; ++i) {
    f.ledger.add(f.batch(std::to_string(i), "cust_" + std::to_string(i)));
  }
  f.start();
  std::size_t most = 0;
  for (int i = 0; i < 50 && !f.script.held.empty(); ++i) {
    most = std::max(most, f.script.held.size());
    f.release();
  }
  CHECK(most == 6);
  CHECK(f.metrics.usage_batches("sent").Value() == 50);
  const auto bodies = f.sent_bodies();
  CHECK(std::set<std::string>(bodies.begin(), bodies.end()).size() == 50);
  CHECK(bodies.size() == 50);
}

TEST_CASE("results are booked in groups") {
  Fixture f;
  for (int i = 0; i < 30; ++i) {
    f.ledger.add(f.batch(std::to_string(i), "cust_" + std::to_string(i)));
  }
  f.script.hold = true;
  f.start();
  f.held.hold = {"book"};
  f.release();
  while (f.held.finish("book")) {
    f.run();
  }
  CHECK(f.metrics.usage_batches("sent").Value() == 30);
  CHECK(f.ledger.booked.size() == 3);  // all as being sent, the first end alone, the others together
}

TEST_CASE("what Stripe refuses is rejected with its reason, what it has already is sent") {
  Fixture f;
  f.ledger.add(f.batch("1", "cust_1"));
  f.ledger.add(f.batch("2", "cust_2"));
  f.script.answers = {kExists, stripe::Refused{"resource_missing", "No such customer", ""}};
  f.start();
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("2").status == BatchStatus::rejected);
  CHECK(f.stored("2").error_code == "resource_missing");
  CHECK(f.stored("2").error_message == "No such customer");
  f.advance(1min);
  CHECK(f.script.calls.size() == 2);
}

TEST_CASE("Stripe's wish to be left alone holds all sending until then") {
  Fixture f;
  f.script.answers = {stripe::RetryLater{"429", f.clock.now() + 30s}};
  f.ledger.add(f.batch("1", "cust_1"));
  f.start();
  f.ledger.add(f.batch("2", "cust_2"));
  CHECK(f.stored("1").status == BatchStatus::pending);
  CHECK(f.stored("1").attempts == 1);
  CHECK_FALSE(f.stored("1").first_sent_at.has_value());
  caf::anon_send(f.actor, wake_atom::value);
  f.advance(29s);
  CHECK(f.script.calls.size() == 1);
  f.advance(2s);
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("2").status == BatchStatus::sent);
  CHECK(f.script.calls.size() == 3);
}

TEST_CASE("a batch that was about to be sent when sending is held was not sent") {
  Fixture f;
  f.config.usage_page_rows_max = 1;
  f.config.usage_in_flight_max = 2;
  f.script.hold = true;
  f.ledger.add(f.batch("1", "cust_1"));
  f.start();
  f.held.hold = {"book"};
  f.ledger.add(f.batch("2", "cust_2"));
  caf::anon_send(f.actor, wake_atom::value);
  f.run();  // the second is being booked as being sent
  f.script.answers = {stripe::RetryLater{"429", f.clock.now() + 30s}};
  f.release();
  f.script.hold = false;
  f.held.hold = {};
  f.held.finish_all();
  f.run();
  CHECK(f.script.calls.size() == 1);
  CHECK_FALSE(f.stored("2").first_sent_at.has_value());
  CHECK(f.stored("2").attempts == 0);
  f.advance(31s);
  CHECK(f.stored("2").status == BatchStatus::sent);
}

TEST_CASE("without a connection sending rests, and goes on at once when it is changed") {
  Fixture f;
  f.script.answers = {stripe::NotConnected{"the key was revoked"}};
  f.ledger.add(f.batch("1"));
  f.start();
  f.advance(f.config.usage_pause - 1s);
  CHECK(f.script.calls.size() == 1);
  CHECK(f.stored("1").attempts == 0);
  CHECK(f.stored("1").error_code == "not_connected");
  CHECK(f.ledger.close_requests.size() > 1);  // windows are closed all the same
  caf::anon_send(f.actor, rekeyed_atom::value);
  f.run();
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("1").error_code.empty());

  Fixture alone;  // and now and then by itself
  alone.script.answers = {stripe::NotConnected{"the key was revoked"}};
  alone.ledger.add(alone.batch("1"));
  alone.start();
  alone.advance(alone.config.usage_pause + 1s);
  CHECK(alone.stored("1").status == BatchStatus::sent);
}

TEST_CASE("an unknown outcome is asked for again, with the same bytes, and after a day by a person") {
  Fixture f;
  f.script.answers = {stripe::Unknown{"timeout"}, stripe::Unknown{"connection reset"}};
  f.ledger.add(f.batch("1"));
  const auto begin = f.clock.now();
  f.start();
  CHECK(f.stored("1").first_sent_at == begin);
  f.advance(10s);
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("1").attempts == 3);
  CHECK(f.stored("1").first_sent_at == begin);
  REQUIRE(f.script.calls.size() == 3);
  CHECK(f.script.calls[0] == f.script.calls[1]);
  CHECK(f.script.calls[0] == f.script.calls[2]);

  Fixture stored;  // under its first key Stripe would repeat its failure
  stored.script.answers = {stripe::Unknown{"500", true}};
  stored.ledger.add(stored.batch("1"));
  stored.start();
  stored.advance(5s);
  REQUIRE(stored.script.calls.size() == 2);
  CHECK(stored.script.calls[0].body == stored.script.calls[1].body);
  CHECK(stored.script.calls[1].idempotency_key == "fs_batch_1-1");

  Fixture late;
  auto batch = late.batch("1");
  batch.first_sent_at = late.clock.now() - 24h;
  late.ledger.add(batch);
  late.start();
  CHECK(late.stored("1").status == BatchStatus::ambiguous);
  CHECK(late.script.calls.empty());
}

TEST_CASE("a Stripe client that does not answer leaves the outcome unknown") {
  Fixture f;
  f.script.hold = true;
  f.ledger.add(f.batch("1"));
  f.start();
  f.advance(f.config.stripe_answer_timeout + 100ms);
  CHECK(f.stored("1").error_code == "unknown_outcome");
  CHECK(f.stored("1").attempts == 1);
  f.advance(2s);
  CHECK(f.script.calls.size() == 2);
}

TEST_CASE("usage older than Stripe takes expires without a call") {
  Fixture f;
  auto batch = f.batch("1");
  batch.timestamp = f.clock.now() - f.config.usage_policy.age_max - 1s;
  f.ledger.add(batch);
  f.start();
  CHECK(f.stored("1").status == BatchStatus::expired);
  CHECK(f.script.calls.empty());
  CHECK(f.metrics.usage_batches("expired").Value() == 1);
}

TEST_CASE("results that could not be booked are booked later; the batch is not sent again") {
  Fixture f;
  f.script.hold = true;
  f.ledger.add(f.batch("1"));
  f.start();
  f.ledger.book_faults.next(ErrorCode::service_unavailable, 3);
  f.release();
  CHECK(f.stored("1").status == BatchStatus::pending);
  f.advance(10s);
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.script.calls.size() == 1);
}

TEST_CASE("nothing is sent until it is booked as being sent") {
  Fixture f;
  f.ledger.book_faults.next(ErrorCode::service_unavailable, 3);
  f.ledger.book_fault_applies = true;
  f.ledger.page_faults.next(ErrorCode::service_unavailable, 2);
  f.ledger.add(f.batch("1"));
  f.start();
  CHECK(f.script.calls.empty());
  f.advance(5s);
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.script.calls.size() == 1);
}

TEST_CASE("whoever continues after a death sends the same identifier again") {
  Fixture f;
  f.script.hold = true;
  f.ledger.add(f.batch("1"));
  const auto begin = f.clock.now();
  f.start();
  CHECK(f.script.calls.size() == 1);
  caf::anon_send_exit(f.actor, caf::exit_reason::kill);
  f.run();
  f.release();  // Stripe has taken it, nobody heard
  f.script.hold = false;
  f.script.answers = {kExists};
  f.ledger.epoch = 2;
  f.advance(1s);
  f.start();
  CHECK(f.script.calls.size() == 2);
  CHECK(f.script.calls.front() == f.script.calls.back());
  CHECK(f.stored("1").status == BatchStatus::sent);
  CHECK(f.stored("1").first_sent_at == begin);
}

TEST_CASE("a timer whose epoch is over writes nothing and rests until it owns the tenant again") {
  Fixture f;
  f.script.hold = true;
  f.ledger.add(f.batch("1"));
  f.start();
  f.ledger.epoch = 2;
  f.release();
  CHECK(f.stored("1").status == BatchStatus::pending);
  const auto pages = f.ledger.pages;
  const auto closes = f.ledger.close_requests.size();
  f.advance(1min);
  CHECK(f.ledger.pages == pages);
  CHECK(f.ledger.close_requests.size() == closes);
  CHECK(f.is_alive(f.actor.address()));

  f.script.hold = false;
  f.script.answers = {kExists};
  caf::anon_send(f.actor, owned_atom::value, f.ledger.epoch);
  f.run();
  CHECK(f.stored("1").status == BatchStatus::sent);
}

TEST_CASE("answers to an earlier ownership count no more") {
  Fixture f;
  f.script.hold = true;
  f.held.hold = {"close", "match", "sweep"};
  f.ledger.add(f.batch("1"));
  f.start();
  caf::anon_send(f.actor, owned_atom::value, f.ledger.epoch);
  f.run();
  CHECK(f.script.calls.size() == 2);  // sent again: nobody remembers
  f.script.answers = {stripe::Refused{"stale", "an answer to the first", ""}};
  f.held.finish_all();
  f.release();
  CHECK(f.stored("1").status == BatchStatus::sent);
}

TEST_CASE("events whose customer appeared are matched, at once while there are more") {
  Fixture f;
  f.config.usage_match_events_max = 10;
  f.ledger.unattributed = 25;
  f.start();
  CHECK(f.ledger.matches == 3);
  CHECK(f.metrics.usage_events_matched().Value() == 25);
  f.ledger.unattributed = 3;
  f.advance(f.config.usage_match_interval + 1s);
  CHECK(f.metrics.usage_events_matched().Value() == 28);
}
