// Finds what webhooks did not bring: walks Stripe's list of events from the stored cursor on, into the inbox.
//
// The list is a second delivery of the same events, under the same ids, through the same intake: what is known is
// stored no second time, and what is done with an event is decided where webhooks are. So a walk may be begun, given up
// and begun again at any time; only the cursor must never be ahead of what is durable. It is moved when the pages up
// to it are committed, and by nothing else (sync/catch_up.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "stripe/event_page.hpp"
#include "sync/catch_up.hpp"

namespace flexsync::actors {

struct event_catch_up_state {
  using pointer = event_catch_up_actor::stateful_pointer<event_catch_up_state>;

  static constexpr const char* name = "event_catch_up";

  void init(pointer self_pointer, ServicesPtr used_services, Scope own_scope, stripe_client_actor client);
  void on_owned();
  void on_rekeyed();
  void on_due();
  void on_tick(std::uint64_t number);
  void on_begun(std::uint64_t walk, const Result<std::optional<store::CatchUpCursor>>& begun);
  void on_stored(std::uint64_t walk, const Result<std::int64_t>& late);
  void on_moved(std::uint64_t walk, const Result<bool>& moved);

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  struct Walk {
    store::CatchUpCursor begun;
    sync::CatchUpWalk plan;
    std::string after = {};       // the event behind which the next page begins
    stripe::EventPage page = {};  // being stored; its events are gone
    Timestamp true_from = {};     // of the page
    sync::CatchUpWalk::Next next = sync::CatchUpWalk::Next::list;
    std::int64_t late = 0;  // events that were due and had not come
  };

  Timestamp now() const { return services->clock.now(); }
  bool works() const;
  void begin(store::WalkWhen when);
  void start(const store::CatchUpCursor& begun);
  void ask();
  void on_outcome(std::uint64_t walk, const stripe::CallOutcome& outcome);
  void take_page(const stripe::Answered& answered);
  void store_page();
  void move_cursor(Timestamp reached);
  void go_on();
  void fail_and_retry(const std::string& what, const std::string& why, Timestamp at);
  void rest_until(Timestamp due);

  stripe_client_actor stripe_client_;
  bool owned_ = false;
  bool busy_ = false;  // a walk, or the question whether one is due
  store::WalkWhen when_ = store::WalkWhen::now;
  std::uint64_t walks_ = 0;  // counts those begun: what an earlier one had asked for counts no more
  std::uint64_t ticks_ = 0;  // likewise: only the last one planned counts
  Timestamp due_;
  std::optional<Walk> walk_;
  std::string last_failure_;
};

// Linked to the supervisor, which sends `owned`. Without Services::catch_up and ::intake it does nothing.
event_catch_up_actor::behavior_type event_catch_up(event_catch_up_state::pointer self, ServicesPtr services,
                                                   Scope scope, stripe_client_actor stripe_client);

}  // namespace flexsync::actors
