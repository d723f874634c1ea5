#include "support/engine_world.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "actors/node_supervisor.hpp"
#include "sync/customer_fields.hpp"

namespace flexsync::test {

using std::chrono::milliseconds;

void EngineWorld::make_histories() {
  for (int i = 0; i < plan_.customers; ++i) {
    histories_.push_back(random_history(random_, "cus_" + std::to_string(i), 1 + pick(plan_.events_max)));
    if (plan_.claims) {
      for (auto& operation : histories_.back()) {
        operation.event.state.metadata["flexprice_customer_id"] = "claimed_" + std::to_string(i);
      }
      if (pick(2) == 0) {
        put_claimed("claimed_" + std::to_string(i));
      }
    }
  }
  for (const auto& history : histories_) {
    for (std::size_t i = 0; i < history.size(); ++i) {
      coming_.push_back({&history, i});
    }
    transport.states[history.front().event.state.id.str()] = current_state(history.back());
  }
  std::shuffle(coming_.begin(), coming_.end(), random_);
  clock.set(from_unix_seconds(kSecondZero + 60));  // all operations have happened
}

void EngineWorld::put_claimed(const std::string& external_id) {
  Customer ours;
  ours.id = CustomerId("cust_" + external_id);
  ours.external_id = external_id;
  ours.version = 1;
  store.put(kTenant, ours);
}

void EngineWorld::deliver_one() {
  if (plan_.others > 0 && pick(3) == 0) {
    deliver_other("evt_other_" + std::to_string(--plan_.others), "invoice.paid", "{}");
  }
  const auto [history, index] = coming_.back();
  const auto& event = history->at(index).event;
  coming_.pop_back();
  const auto seq =
      store.deliver(kTenant, event.id.str(), event.type, event.state.id.str(), to_event_json(event), clock.now());
  if (plan_.late_commits && pick(4) == 0) {
    store.row(*seq).visible = false;
    late_.emplace_back(*seq, clock.now() + milliseconds{pick(1'000)});
  }
  if (pick(4) != 0) {
    caf::anon_send(node_, actors::wake_atom::value, kTenant);
  }
}

void EngineWorld::show_late_rows(bool all) {
  std::erase_if(late_, [&](const auto& late) {
    const bool commits = all || late.second <= clock.now();
    if (commits) {
      store.row(late.first).visible = true;
    }
    return commits;
  });
}

void EngineWorld::fail_somewhere() {
  --plan_.faults;
  const auto store_answers = [this](ChangeResult result, bool applied) { changes.script.next({result, applied}); };
  switch (pick(12)) {
    case 0:
      return snapshots.script.next(ReadFault::unavailable, 1 + pick(3));
    case 1:
      return snapshots.script.next(ReadFault::throws);
    case 2:
      return inbox.pages[kTenant].next(ReadFault::unavailable, 1 + pick(30));
    case 3:
      return inbox.pages[kTenant].next(ReadFault::throws);
    case 4:
      return inbox.claims.next(ReadFault::unavailable, 1 + pick(40));
    case 5:
      return changes.script.next({ChangeResult::committed, false, true});
    case 6:
      return store_answers(ChangeResult::unavailable, true);
    case 7:
      return store_answers(ChangeResult::rejected, false);
    case 8:
      return transport.script.next(pick(2) == 0 ? 503 : 0);
    case 9:
      store.take_ownership(kTenant);  // another process was the owner for a moment
      return;
    default:
      return changes.script.next({ChangeResult::unavailable}, 1 + pick(40));
  }
}

void EngineWorld::play_one() {
  switch (pick(8)) {
    case 0:
      if (!coming_.empty()) {
        deliver_one();
      }
      return;
    case 1:
    case 2:
      held.step(random_);
      return;
    case 3: {
      const milliseconds by{pick(20) == 0 ? pick(6'000) : pick(20)};
      clock.advance(by);
      scheduler.advance_time(by);
      show_late_rows(false);
      return;
    }
    default:
      run_one(random_);
  }
}

void EngineWorld::play() {
  make_histories();
  held.hold_all = true;
  node_ = own(system.spawn(actors::node_supervisor, services()));
  const int steps = static_cast<int>(coming_.size()) * 40;
  const int fault_every = plan_.faults > 0 ? std::max(1, steps / plan_.faults) : 0;
  for (int i = 0; i < steps || !coming_.empty(); ++i) {
    if (plan_.faults > 0 && i % fault_every == 0) {
      fail_somewhere();
    }
    play_one();
  }
  settle_all();
}

// The faults pass, Stripe and the store answer, time goes on.
void EngineWorld::settle_all() {
  show_late_rows(true);
  changes.script.clear();
  snapshots.script.clear();
  inbox.pages.clear();
  inbox.claims.clear();
  transport.script.clear();
  held.hold_all = false;
  for (int i = 0; i < 400 && (i < 40 || store.unsettled(kTenant) > 0); ++i) {
    held.finish_all();
    run();
    advance(milliseconds{500});
  }
}

void EngineWorld::check_customer(const std::vector<StripeOperation>& history) {
  const auto& last = history.back().event.state;
  INFO("the customer's history\n" << describe(history));
  const auto* shadow = store.object(kTenant, last.id);
  REQUIRE(shadow != nullptr);
  CHECK(shadow->state == stripe::to_canonical(last));
  CHECK(shadow->deleted == last.deleted);
  const auto* customer = store.customer_of(kTenant, last.id);
  REQUIRE(customer != nullptr);
  auto fields = sync::to_customer_fields(last).fields;
  fields.metadata[sync::kStripeCustomerIdKey] = last.id.str();
  CHECK(customer->fields == fields);
  const auto* mapping = store.live_mapping(kTenant, last.id);
  CHECK((mapping == nullptr) == last.deleted);
  CHECK((mapping == nullptr || mapping->entity_id == customer->id.str()));
}

void EngineWorld::check() {
  CHECK(store.unsettled(kTenant) == 0);
  for (const auto& [seq, row] : store.rows()) {
    INFO("event " << row.row.event_id.str() << " seq " << seq);
    CHECK(row.settlements == 1);
    CHECK((!row.parked || row.parked->state != ParkedState::dead));
  }
  for (const auto& history : histories_) {
    check_customer(history);
  }
  CHECK(store.customers() == histories_.size());
  CHECK(inbox.watermark_violations == 0);
  CHECK(held.waiting() == 0);
}

}  // namespace flexsync::test
