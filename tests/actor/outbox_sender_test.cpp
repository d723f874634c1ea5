// The outbox's sender over the store in memory, with a Stripe client and a supervisor that do as they are told.
#include "actors/outbox_sender.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/scripted_client.hpp"
#include "support/stripe_model.hpp"
#include "sync/intents.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

stripe::CallOutcome done(const stripe::Call&) {
  return stripe::Answered{R"({"id":"cus_1","object":"customer"})", {}, false};
}

struct Fixture : ActorFixture {
  void start() {
    store.take_ownership(kTenant);
    client.answer = done;
    sender = own(system.spawn(outbox_sender, OutboxSenderArgs{services(), kTenant, fake_supervisor(*this, log),
                                                              scripted_client(*this, client)}));
    caf::anon_send(sender, wake_atom::value);  // the tenant is owned
    run();
  }

  // An update of this customer's name, mapped to cus_<customer>.
  std::int64_t update(const std::string& customer, const std::string& name) {
    if (store.live_mapping(kTenant, StripeId("cus_" + customer)) == nullptr) {
      Mapping mapping;
      mapping.id = MappingId("eim_" + customer);
      mapping.entity_id = customer;
      mapping.provider_entity_id = "cus_" + customer;
      store.put(kTenant, mapping);
    }
    CustomerFields fields;
    fields.name = name;
    return store.put(kTenant, sync::update(origin(customer), fields, {"name"}));
  }

  std::int64_t creation(const std::string& customer) {
    return store.put(kTenant, sync::creation(origin(customer), {}));
  }

  sync::IntentOrigin origin(const std::string& customer) const {
    return {kTenant, CustomerId(customer), clock.now(), ""};
  }

  void wake() {
    caf::anon_send(sender, wake_atom::value);
    run();
  }

  // The customer's actor has booked it: settled.
  void book(std::int64_t seq) {
    ChangeSet change;
    change.scope = kTenant;
    change.epoch = store.epoch(kTenant);
    change.intents = {sync::settled(intent(seq), clock.now())};
    REQUIRE(store.apply(change).result == ChangeResult::committed);
    booked(seq, false);
  }

  // The customers' actors have booked why their intents wait.
  void book_reasons() {
    for (const auto& push : std::exchange(log.pushed, {})) {
      const auto* why = std::get_if<sync::NotAsked>(&push->result);
      REQUIRE(why != nullptr);
      ChangeSet change;
      change.scope = kTenant;
      change.epoch = store.epoch(kTenant);
      change.intents = {intent(push->intent.seq)};
      change.intents[0].error_code = why->code;
      change.intents[0].error_message = why->reason;
      REQUIRE(store.apply(change).result == ChangeResult::committed);
      booked(push->intent.seq, false);
    }
  }

  void booked(std::int64_t seq, bool again) {
    caf::anon_send(sender, booked_atom::value, seq, again);
    run();
  }

  Intent intent(std::int64_t seq) const {
    const auto all = store.intents(kTenant);
    return *std::find_if(all.begin(), all.end(), [&](const auto& intent) { return intent.seq == seq; });
  }

  void replace(std::int64_t seq, void (*change)(Intent&, const Clock&)) {
    ChangeSet set;
    set.scope = kTenant;
    set.epoch = store.epoch(kTenant);
    set.intents = {intent(seq)};
    change(set.intents[0], clock);
    REQUIRE(store.apply(set).result == ChangeResult::committed);
  }

  std::vector<std::int64_t> pushed() const {
    std::vector<std::int64_t> seqs;
    std::transform(log.pushed.begin(), log.pushed.end(), std::back_inserter(seqs),
                   [](const auto& push) { return push->intent.seq; });
    return seqs;
  }

  template <class Result>
  bool pushed_as(std::size_t index) const {
    return log.pushed.size() > index && std::holds_alternative<Result>(log.pushed[index]->result);
  }

  SupervisorLog log;
  ClientScript client;
  outbox_sender_actor sender;
};

using Seqs = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("an intent is sent with its stored bytes and key, and its outcome handed to the supervisor") {
  Fixture f;
  const auto seq = f.update("a", "Ada");
  f.start();
  REQUIRE(f.client.calls.size() == 1);
  CHECK(f.client.calls[0].path == "/v1/customers/cus_a");
  CHECK(f.client.calls[0].body == "name=Ada");
  CHECK(f.client.calls[0].idempotency_key == f.intent(seq).idempotency_key);
  CHECK(f.client.calls[0].lane == stripe::Lane::sync);
  CHECK(f.pushed() == Seqs{seq});
  CHECK(f.pushed_as<stripe::Answered>(0));
}

TEST_CASE("of one entity one intent is in flight, in order; others go beside it") {
  Fixture f;
  f.client.holds = true;
  const auto first = f.update("a", "1");
  const auto second = f.update("a", "2");
  const auto other = f.update("b", "3");
  f.start();
  f.wake();
  CHECK(f.client.waiting() == 2);
  f.client.release();
  f.client.release();
  f.run();
  CHECK(f.pushed() == Seqs{first, other});
  f.advance(minutes{1});  // answered, but not booked: still in flight
  CHECK(f.client.calls.size() == 2);
  f.book(first);
  CHECK(f.client.calls.size() == 3);
  CHECK(f.client.calls[2].body == "name=2");
  f.client.release();
  f.run();
  CHECK(f.pushed() == Seqs{first, other, second});
}

TEST_CASE("what is on its way to Stripe is bounded: the rest waits in the database") {
  Fixture f;
  f.config.outbox_in_flight_max = 5;
  f.config.outbox_page_rows_max = 3;
  for (int i = 0; i < 20; ++i) {
    f.update("c" + std::to_string(i), "x");
  }
  f.start();
  f.wake();
  CHECK(f.client.calls.size() == 5);
  for (std::size_t i = 0; i < 20; ++i) {
    REQUIRE(f.log.pushed.size() > i);
    f.book(f.log.pushed[i]->intent.seq);
  }
  CHECK(f.client.calls.size() == 20);
}

TEST_CASE("retry later: it says why, nothing is asked before its time, then the same again") {
  Fixture f;
  const auto seq = f.update("a", "Ada");
  const auto not_before = f.clock.now() + seconds{30};
  f.start();  // answered `done`; begin again with a client that is limited
  f.booked(seq, true);
  f.client.answer = [&](const stripe::Call&) { return stripe::RetryLater{"429", not_before}; };
  f.client.calls.clear();
  f.log.pushed.clear();
  f.advance(seconds{1});
  REQUIRE(f.client.calls.size() == 1);
  f.book_reasons();
  CHECK(f.intent(seq).error_message == "429");
  f.update("b", "Bob");
  f.wake();
  f.advance(seconds{25});
  CHECK(f.client.calls.size() == 1);
  f.client.answer = done;
  f.advance(seconds{6});
  CHECK(f.client.calls.size() == 3);
  CHECK(f.client.calls[1].idempotency_key == f.client.calls[0].idempotency_key);
  CHECK(f.client.calls[1].body == f.client.calls[0].body);
}

TEST_CASE("retry later without a time does not ask in a circle") {
  Fixture f;
  f.update("a", "Ada");
  f.client.answer = [](const stripe::Call&) { return stripe::RetryLater{"the lane is full", {}}; };
  f.store.take_ownership(kTenant);
  f.sender = f.own(f.system.spawn(
      outbox_sender, OutboxSenderArgs{f.services(), kTenant, fake_supervisor(f, f.log), scripted_client(f, f.client)}));
  f.wake();
  CHECK(f.client.calls.size() == 1);
  f.book_reasons();
  f.advance(f.config.store_retry * 8);
  CHECK(f.log.pushed.empty());  // the reason is known
  CHECK(f.client.calls.size() >= 2);
  CHECK(f.client.calls.size() <= 9);
}

TEST_CASE("not connected: at most one attempt a minute, over an hour; a changed connection is tried at once") {
  Fixture f;
  f.start();
  f.client.answer = [](const stripe::Call&) { return stripe::NotConnected{"401"}; };
  const auto first = f.update("a", "Ada");
  f.update("b", "Ada");
  f.update("c", "Ada");
  f.config.outbox_in_flight_max = 1;
  f.wake();
  f.book_reasons();
  CHECK(f.intent(first).error_message == "401");
  const auto at_once = f.client.calls.size();
  CHECK(at_once <= 3);  // those that were on their way together
  for (int i = 0; i < 60; ++i) {
    const auto before = f.client.calls.size();
    f.advance(minutes{1});
    f.wake();
    f.book_reasons();
    CHECK(f.client.calls.size() <= before + at_once);
  }
  CHECK(f.log.pushed.empty());
  f.advance(seconds{5});
  f.client.answer = done;
  const auto before = f.client.calls.size();
  caf::anon_send(f.sender, rekeyed_atom::value);
  f.run();
  CHECK(f.client.calls.size() == before + 3);
  CHECK(f.log.pushed.size() == 3);
}

TEST_CASE("a creation whose key proves nothing is searched for, page by page, to the end") {
  Fixture f;
  f.start();
  const auto listed = [](int from, int count, bool has_more, const std::string& ours) {
    std::string data;
    for (int i = from; i < from + count; ++i) {
      stripe::CustomerState state = customer_state("cus_" + std::to_string(i), "x");
      if (state.id.str() == ours) {
        state.metadata = {{"flexprice_customer_id", "new"}, {"flexprice_environment", "env_1"}};
      }
      data += (data.empty() ? "" : ",") + to_object_json(state);
    }
    return stripe::Answered{
        R"({"object":"list","has_more":)" + std::string(has_more ? "true" : "false") + R"(,"data":[)" + data + "]}",
        {from_unix_seconds(kSecondZero), from_unix_seconds(kSecondZero + 1)},
        false};
  };
  std::string ours;
  f.client.answer = [&](const stripe::Call& call) -> stripe::CallOutcome {
    return call.path.find("starting_after") == std::string::npos ? listed(1, 3, true, ours) : listed(4, 2, false, ours);
  };
  const auto seq = f.creation("new");
  f.replace(seq, [](Intent& intent, const Clock&) { intent.look_first = true; });
  SECTION("it is there") {
    ours = "cus_5";
    f.wake();
    REQUIRE(f.pushed_as<stripe::Answered>(0));
    CHECK(f.log.pushed[0]->stripe_id == StripeId("cus_5"));
    CHECK_FALSE(std::get<stripe::Answered>(f.log.pushed[0]->result).replayed);
  }
  SECTION("it is not") {
    f.wake();
    CHECK(f.pushed_as<sync::KeySpent>(0));
  }
  CHECK(f.client.calls.size() == 2);
  CHECK(f.client.calls[0].method == "GET");
  CHECK(f.client.calls[1].path.find("starting_after=cus_3") != std::string::npos);
}

TEST_CASE("a search that fails is none: the outcome stays unknown, or it waits") {
  Fixture f;
  f.start();
  const auto seq = f.creation("new");
  f.replace(seq, [](Intent& intent, const Clock&) { intent.look_first = true; });
  SECTION("unknown") {
    f.client.answer = [](const stripe::Call&) { return stripe::Unknown{"a timeout", false}; };
    f.wake();
    REQUIRE(f.pushed_as<stripe::Unknown>(0));
    CHECK(std::get<stripe::Unknown>(f.log.pushed[0]->result).stored);  // never the old key again
  }
  SECTION("nonsense") {
    f.client.answer = [](const stripe::Call&) { return stripe::Answered{"[]", {}, false}; };
    f.wake();
    CHECK(f.pushed_as<stripe::Unknown>(0));
  }
  SECTION("later") {
    f.client.answer = [&](const stripe::Call&) { return stripe::RetryLater{"429", f.clock.now() + seconds{9}}; };
    f.wake();
    f.book_reasons();
    f.advance(seconds{8});
    CHECK(f.client.calls.size() == 1);
    f.advance(seconds{2});
    CHECK(f.client.calls.size() == 2);
  }
}

TEST_CASE("what is known without a call is handed in without one") {
  Fixture f;
  f.start();
  CustomerFields fields;
  f.store.put(kTenant, sync::update(f.origin("unmapped"), fields, {"name"}));
  f.wake();
  CHECK(f.pushed_as<sync::NoCounterpart>(0));
  CHECK(f.client.calls.empty());
}

TEST_CASE("booking failed: the same is sent again, with the same key, a little later") {
  Fixture f;
  const auto seq = f.update("a", "Ada");
  f.start();
  f.booked(seq, true);
  CHECK(f.client.calls.size() == 1);
  f.advance(f.config.store_retry + f.config.tick * 2);
  REQUIRE(f.client.calls.size() == 2);
  CHECK(f.client.calls[1].idempotency_key == f.client.calls[0].idempotency_key);
}

TEST_CASE("an intent that is not due waits for its time, and so does what is behind it") {
  Fixture f;
  f.start();
  const auto first = f.update("a", "1");
  f.update("a", "2");
  f.replace(first, [](Intent& intent, const Clock& clock) { intent.next_attempt_at = clock.now() + seconds{20}; });
  f.wake();
  f.advance(seconds{19});
  CHECK(f.client.calls.empty());
  f.advance(seconds{2});
  REQUIRE(f.client.calls.size() == 1);
  CHECK(f.client.calls[0].body == "name=1");
}

TEST_CASE("somebody waits: the interactive lane, until it is booked") {
  Fixture f;
  f.start();
  const auto first = f.update("a", "1");
  caf::anon_send(f.sender, hurry_atom::value, std::string("a"));
  f.run();
  CHECK(f.client.calls.at(0).lane == stripe::Lane::interactive);
  f.update("a", "2");
  f.book(first);
  CHECK(f.client.calls.at(1).lane == stripe::Lane::sync);
}

TEST_CASE("the outbox cannot be read: tried again until it can") {
  Fixture f;
  f.outbox.pages[kTenant].next(ReadFault::unavailable, 3);
  f.update("a", "Ada");
  f.start();
  CHECK(f.client.calls.empty());
  f.advance(f.config.store_retry * 5);
  CHECK(f.client.calls.size() == 1);
}
