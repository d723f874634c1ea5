// The usage timer against a Stripe, a store and a process that fail at random: every batch is counted by Stripe exactly
// once, and the store knows it.
#include <caf/all.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "actors/usage_timer.hpp"
#include "support/actor_fixture.hpp"
#include "support/fake_usage_ledger.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using namespace std::chrono_literals;

namespace {

using Promise = caf::typed_response_promise<CallOutcomePtr>;

// Stripe with its two memories: identifiers of meter events, and first answers under idempotency keys.
struct Stripe {
  explicit Stripe(std::mt19937_64& randomness) : random(randomness) {}

  std::mt19937_64& random;
  bool faulty = true;
  std::set<std::string> counted;  // bodies
  int repeated = 0;               // bodies that were counted before
  std::map<std::string, stripe::CallOutcome> answers;

  int dice(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random); }

  stripe::CallOutcome answer(const stripe::Call& call, Timestamp now) {
    const int fault = faulty ? dice(12) : 11;
    if (fault == 0) {
      return stripe::RetryLater{"429", now + std::chrono::seconds(dice(30))};
    }
    if (fault == 1) {
      return stripe::NotConnected{"no key"};
    }
    if (fault == 2) {
      return stripe::Unknown{"lost on its way there"};
    }
    const auto stored = answers.find(call.idempotency_key);
    if (stored != answers.end()) {
      return stored->second;
    }
    const stripe::CallOutcome failure = stripe::Unknown{"500", true};
    if (fault == 3) {
      return answers.emplace(call.idempotency_key, failure).first->second;
    }
    if (counted.contains(call.body)) {
      ++repeated;
      return stripe::Refused{"invalid_request_error", "An event already exists with identifier", "identifier"};
    }
    counted.insert(call.body);
    if (fault == 4) {
      return answers.emplace(call.idempotency_key, failure).first->second;
    }
    answers.emplace(call.idempotency_key, stripe::Answered{"{}", {}});
    return fault == 5 ? stripe::CallOutcome(stripe::Unknown{"lost on its way back"}) : stripe::Answered{"{}", {}};
  }
};

struct Client {
  struct Held {
    stripe::Call call;
    Promise promise;
  };

  Client(Stripe& asked, const Clock& time) : stripe(asked), clock(time) {}

  Stripe& stripe;
  const Clock& clock;
  std::vector<Held> held;

  // Any one of them.
  void release_one() {
    const auto chosen = held.begin() + stripe.dice(static_cast<int>(held.size()));
    auto [call, promise] = *chosen;
    held.erase(chosen);
    promise.deliver(std::make_shared<const stripe::CallOutcome>(stripe.answer(call, clock.now())));
  }
};

stripe_client_actor slow_client(ActorFixture& fixture, Client& client) {
  return fixture.own(fixture.system.spawn([&client](stripe_client_actor::pointer self) {
    return stripe_client_actor::behavior_type{
        [&client, self](call_atom, const StripeCallPtr& call) {
          auto promise = self->make_response_promise<CallOutcomePtr>();
          client.held.push_back({*call, promise});
          return promise;
        },
        [&client](rekeyed_atom) {
          if (!client.held.empty()) {
            client.release_one();
          }
        },
        [](keyed_atom, std::uint64_t, const KeyPtr&) {},
        [](answered_atom, std::uint64_t, const HttpResultPtr&) {},
        [](tick_atom) {},
    };
  }));
}

struct World : ActorFixture {
  explicit World(std::uint64_t seed) : random(seed) {
    usage = &ledger;
    config.usage_page_rows_max = 4;
    config.usage_in_flight_max = 8;
    config.usage_close_batches_max = 5;
    config.usage_policy.retry.cap = 10s;
    config.tick = 1s;
    client_actor = slow_client(*this, client);
    for (int i = 0; i < kBatches; ++i) {
      ledger.to_close.push_back(batch(i));
    }
    restart();
  }

  UsageBatch batch(int number) {
    UsageBatch made;
    made.id = BatchId("batch_" + std::to_string(number));
    made.customer_id = CustomerId("cust_" + std::to_string(number % 7));
    made.meter_id = MeterId("meter_1");
    made.stripe_customer_id = StripeId("cus_" + std::to_string(number % 7));
    made.event_name = "calls";
    made.customer_key = "stripe_customer_id";
    made.value_key = "value";
    made.value = number;
    made.window = {clock.now() - 2h, clock.now() - 1h};
    made.sequence = number / 7 + 1;
    made.identifier = "fs_batch_" + std::to_string(number);
    made.timestamp = clock.now() - 1h - 1s;
    made.next_attempt_at = clock.now();
    return made;
  }

  void restart() {
    if (actor) {
      caf::anon_send_exit(actor, caf::exit_reason::kill);
      run();
    }
    ++ledger.epoch;
    actor = own(system.spawn(usage_timer, services(), kTenant, client_actor));
    caf::anon_send(actor, owned_atom::value, ledger.epoch);
  }

  void step() {
    switch (stripe.dice(8)) {
      case 0:
        clock.advance(700ms);
        scheduler.advance_time(700ms);
        break;
      case 1:
      case 2:
        caf::anon_send(client_actor, rekeyed_atom::value);
        break;
      case 3:
        held.step(random);
        break;
      default:
        run_one(random);
    }
    if (stripe.faulty && stripe.dice(150) == 0) {
      restart();
    }
    if (stripe.faulty && stripe.dice(100) == 0) {
      ledger.book_fault_applies = stripe.dice(2) == 0;
      ledger.book_faults.next(ErrorCode::service_unavailable, stripe.dice(3) + 1);
      ledger.close_faults.next(ErrorCode::service_unavailable);
      ledger.page_faults.next(ErrorCode::service_unavailable);
    }
  }

  // Everything works again.
  void settle() {
    stripe.faulty = false;
    for (int i = 0; i < 300; ++i) {
      held.finish_all();
      caf::anon_send(client_actor, rekeyed_atom::value);
      run();
      clock.advance(1s);
      scheduler.advance_time(1s);
      run();
    }
  }

  static constexpr int kBatches = 40;

  std::mt19937_64 random;
  FakeUsageLedger ledger{held};
  Stripe stripe{random};
  Client client{stripe, clock};
  stripe_client_actor client_actor;
  usage_timer_actor actor;
};

}  // namespace

TEST_CASE("every batch counts exactly once, whatever fails") {
  int repeated = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.held.hold_all = seed % 2 == 0;
    for (int i = 0; i < 1500; ++i) {
      world.step();
    }
    world.held.hold_all = false;
    world.settle();
    REQUIRE(world.ledger.batches.size() == World::kBatches);
    for (const auto& [id, batch] : world.ledger.batches) {
      CAPTURE(id.str(), batch.attempts, batch.error_code, batch.error_message);
      REQUIRE(to_string(batch.status) == "sent");
    }
    REQUIRE(world.stripe.counted.size() == World::kBatches);  // an attempt with other bytes would count again
    repeated += world.stripe.repeated;
  }
  CHECK(repeated > 100);  // it did come to that
}
