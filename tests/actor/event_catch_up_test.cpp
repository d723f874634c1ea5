// Catching up from Stripe's list of events: what is found, when the cursor moves, and what every failure leads to.
#include "actors/event_catch_up.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/actor_fixture.hpp"
#include "support/fake_catch_up.hpp"
#include "support/scripted_client.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using namespace std::chrono_literals;
using store::WalkWhen;

namespace {

struct Fixture : ActorFixture {
  Fixture() {
    catch_up = &cursors;
    intake = &inbox_of_events;
    cursors.cursor = store::CatchUpCursor{ConnectionId("conn_1"), false, clock.now() - 1h, 1};
    script.answer = [this](const stripe::Call& call) { return list.answer(call, clock.now()); };
    client = scripted_client(*this, script);
  }

  void start() {
    actor = own(system.spawn(event_catch_up, services(), kTenant, client));
    tell(owned_atom::value);
  }

  template <class Atom>
  void tell(Atom atom) {
    caf::anon_send(actor, atom);
    run();
  }

  // So many, a second apart, the last one a second ago.
  void add_events(int count, const std::string& type = "customer.updated") {
    for (int i = count; i > 0; --i) {
      list.add("evt_" + type + std::to_string(1000 - i), type, clock.now() - i * 1s);
    }
  }

  std::size_t stored() const { return inbox_of_events.inbox.size(); }
  Timestamp cursor() const { return cursors.cursor->at; }
  // Where a walk that begins now moves it: Stripe's `Date` less the second in which the answer was made.
  Timestamp walked_now() const { return clock.now() - 1s; }

  FakeCursors cursors{held};
  FakeIntake inbox_of_events{held};
  EventList list;
  ClientScript script;
  stripe_client_actor client;
  event_catch_up_actor actor;
};

}  // namespace

TEST_CASE("event_catch_up does nothing before it owns the tenant, nothing when it is turned off or has no store") {
  Fixture f;
  f.actor = f.own(f.system.spawn(event_catch_up, f.services(), kTenant, f.client));
  f.tell(due_atom::value);
  f.tell(rekeyed_atom::value);
  f.advance(11min);
  CHECK(f.cursors.begun.empty());

  Fixture off;
  off.config.catch_up_interval = 0ms;
  off.start();
  off.tell(due_atom::value);
  off.advance(11min);
  CHECK(off.cursors.begun.empty());

  Fixture without;
  without.catch_up = nullptr;
  without.start();
  without.tell(rekeyed_atom::value);
  CHECK(without.script.calls.empty());
}

TEST_CASE("what Stripe lists since the cursor is stored as a webhook would have been") {
  Fixture f;
  f.list.events.push_back({"evt_1", "customer.created", f.clock.now() - 30min, false});
  f.list.events.push_back({"evt_2", "invoice.paid", f.clock.now() - 10min, false});
  f.list.events.push_back({"evt_3", "customer.updated", f.clock.now() - 5min, true});
  f.list.events.push_back({"evt_4", "charge.succeeded", f.clock.now() - 5min, false});
  f.list.events.push_back({"evt_5", "customer.created", f.clock.now() - 2h, false});
  f.start();
  REQUIRE(f.stored() == 3);
  const auto& event = f.inbox_of_events.inbox.at("evt_1");
  CHECK(event.scope == kTenant);
  CHECK(event.type == "customer.created");
  CHECK(event.object_type == "customer");
  CHECK(event.object_id == "cus_evt_1");
  CHECK(event.api_version == "2020-08-27");
  CHECK(event.created == f.clock.now() - 30min);
  CHECK(event.received == f.clock.now());
  CHECK(event.request_id == "catch-up");
  CHECK(event.ignored.empty());
  CHECK(event.payload.starts_with(R"({"id":"evt_1","object":"event",)"));
  CHECK(f.inbox_of_events.inbox.at("evt_3").ignored == "the event is of live mode, the connection is for test mode");
  CHECK(f.cursor() == f.walked_now());
  CHECK(f.script.calls.front().lane == stripe::Lane::bulk);
  CHECK(f.metrics.catch_up_events().Value() == 3);
  CHECK(f.metrics.catch_up_walked("tenant_1", "env_1").Value() == Approx(kSecondZero));
}

TEST_CASE("a walk begins a little before the cursor, and what is known is nothing new") {
  Fixture f;
  f.list.add("evt_late", "customer.updated", f.cursor() - 100s);
  f.list.add("evt_old", "customer.updated", f.cursor() - f.config.catch_up.overlap - 1s);
  f.start();
  CHECK(f.stored() == 1);
  CHECK(f.metrics.catch_up_events().Value() == 1);
  f.cursors.set_back(f.clock.now() - 1h);
  f.tell(due_atom::value);
  CHECK(f.stored() == 1);
  CHECK(f.inbox_of_events.asked == 2);
  CHECK(f.metrics.catch_up_events().Value() == 1);
}

TEST_CASE("an event whose webhook may be on its way is stored, and not counted as missed") {
  Fixture f;
  f.list.add("evt_1", "customer.updated", f.clock.now() - 30s);
  f.start();
  CHECK(f.stored() == 1);
  CHECK(f.metrics.catch_up_events().Value() == 0);
}

TEST_CASE("the list is walked page by page, and again every interval") {
  Fixture f;
  f.list.page_size = 2;
  f.add_events(7);
  f.add_events(3, "invoice.paid");
  f.start();
  CHECK(f.stored() == 10);
  CHECK(f.script.calls.size() == 6);
  CHECK(f.cursors.reached == std::vector{f.walked_now()});
  f.add_events(1, "plan.created");
  f.advance(5min - 1s);
  CHECK(f.script.calls.size() == 6);
  f.advance(2s);
  CHECK(f.stored() == 11);
  CHECK(f.cursors.begun == std::vector{WalkWhen::now, WalkWhen::now});
}

TEST_CASE("a backlog that is longer than a walk moves the cursor part by part") {
  Fixture f;
  f.config.catch_up.pages_max = 3;
  f.list.page_size = 10;
  for (int i = 0; i < 600; ++i) {
    f.list.add("evt_" + std::to_string(i), "customer.updated", f.clock.now() - 1h + i * 6s);
  }
  f.start();
  CHECK(f.stored() == 600);
  CHECK(f.cursors.reached.size() > 5);
  CHECK(std::is_sorted(f.cursors.reached.begin(), f.cursors.reached.end()));
  CHECK(f.cursor() == f.walked_now());
}

TEST_CASE("the cursor stays until all of a page is stored, and a page that failed is walked again") {
  Fixture f;
  f.add_events(3);
  const auto before = f.cursor();
  f.held.hold = {"intake"};
  f.start();
  REQUIRE(f.held.finish("intake"));
  REQUIRE(f.held.finish("intake"));
  f.run();
  CHECK(f.cursors.reached.empty());
  CHECK(f.script.calls.size() == 1);
  f.inbox_of_events.faults.next(ErrorCode::service_unavailable);
  f.held.finish_all();
  f.run();
  CHECK(f.cursor() == before);
  CHECK(f.stored() == 2);
  f.held.hold = {};
  f.advance(31s);
  CHECK(f.stored() == 3);
  CHECK(f.cursor() > before);
}

TEST_CASE("a failure midway leaves the cursor where it was, and the walk begins again from there") {
  const auto outcome = GENERATE(
      stripe::CallOutcome(stripe::Unknown{"lost"}), stripe::CallOutcome(stripe::RetryLater{"429", {}}),
      stripe::CallOutcome(stripe::Refused{"permission", "no", ""}), stripe::CallOutcome(stripe::NotFound{"gone"}),
      stripe::CallOutcome(stripe::NotConnected{"revoked"}), stripe::CallOutcome(stripe::Answered{"[]", {}}));
  Fixture f;
  f.list.page_size = 2;
  f.add_events(6);
  const auto before = f.cursor();
  f.script.answer = [&f, outcome](const stripe::Call& call) {
    return f.script.calls.size() == 2 ? outcome : f.list.answer(call, f.clock.now());
  };
  f.start();
  CHECK(f.stored() == 2);
  CHECK(f.cursor() == before);
  CHECK(f.script.calls.size() == 2);
  f.advance(5min + 1s);
  CHECK(f.stored() == 6);
  CHECK(f.cursor() > before);
}

TEST_CASE("a store that fails is asked again, and nothing is walked twice at once") {
  Fixture f;
  f.add_events(2);
  f.cursors.begin_faults.next(ErrorCode::service_unavailable, 2);
  f.cursors.move_faults.next(ErrorCode::service_unavailable);
  const auto before = f.cursor();
  f.start();
  CHECK(f.script.calls.empty());
  f.advance(61s);
  CHECK(f.stored() == 2);
  CHECK(f.cursor() == before);
  f.advance(31s);
  CHECK(f.cursor() > before);

  Fixture slow;
  slow.script.holds = true;
  slow.start();
  slow.tell(due_atom::value);
  slow.advance(1min);
  CHECK(slow.cursors.begun.size() == 1);
  CHECK(slow.script.calls.size() == 1);
}

TEST_CASE("without a connection nothing is asked, and a walk begins when there is one") {
  Fixture f;
  f.cursors.cursor.reset();
  f.add_events(1);
  f.start();
  f.advance(11min);
  CHECK(f.script.calls.empty());
  f.cursors.cursor = store::CatchUpCursor{ConnectionId("conn_1"), std::nullopt, f.clock.now() - 1h, 1};
  f.tell(rekeyed_atom::value);
  CHECK(f.stored() == 1);
}

TEST_CASE("while the connection is paused it is asked for a walk once a minute at most") {
  Fixture f;
  f.script.answer = [](const stripe::Call&) { return stripe::NotConnected{"the key is not accepted"}; };
  f.start();
  f.advance(10min);
  CHECK(f.script.calls.size() <= 11);
  CHECK(f.cursors.reached.empty());
}

TEST_CASE("a connection that is changed gives up the walk for another: the former one's answers count no more") {
  Fixture f;
  f.list.add("evt_1", "customer.updated", f.clock.now() - 10min);
  f.script.holds = true;
  f.start();
  REQUIRE(f.script.waiting() == 1);
  f.cursors.cursor = store::CatchUpCursor{ConnectionId("conn_2"), false, f.clock.now() - 1min, 2};
  f.tell(rekeyed_atom::value);
  REQUIRE(f.script.waiting() == 2);
  f.script.release();
  f.run();
  CHECK(f.stored() == 0);
  f.script.holds = false;
  f.script.release();
  f.run();
  CHECK(f.stored() == 0);
  CHECK(f.cursor() == f.walked_now());
}

TEST_CASE("a cursor that is set back while a walk is under way is walked from there") {
  Fixture f;
  f.list.add("evt_old", "customer.updated", f.clock.now() - 48h);
  f.held.hold = {"move"};
  f.start();
  REQUIRE(f.held.waiting("move") == 1);
  f.cursors.set_back(f.clock.now() - 72h);
  f.held.hold = {};
  f.held.finish_all();
  f.advance(1s);
  CHECK(f.stored() == 1);
  CHECK(f.cursors.reached.size() == 1);
}

TEST_CASE("asking whether a walk is due does not put off the one that was planned") {
  Fixture f;
  f.start();
  for (int i = 0; i < 59; ++i) {
    f.advance(5s);
    f.tell(due_atom::value);
  }
  CHECK(std::count(f.cursors.begun.begin(), f.cursors.begun.end(), WalkWhen::now) == 1);
  f.advance(6s);
  CHECK(std::count(f.cursors.begun.begin(), f.cursors.begun.end(), WalkWhen::now) == 2);
}

TEST_CASE("a cursor from before Stripe's thirty days does not keep the walk from its end") {
  Fixture f;
  f.cursors.cursor->at = f.clock.now() - 24h * 90;
  f.add_events(2);
  f.start();
  CHECK(f.stored() == 2);
  CHECK(f.cursor() == f.walked_now());
}
