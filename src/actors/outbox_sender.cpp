#include "actors/outbox_sender.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/log_failure.hpp"
#include "actors/overloaded.hpp"
#include "stripe/customer_page.hpp"
#include "telemetry/failpoint.hpp"

namespace flexsync::actors {

void outbox_sender_state::init(pointer self_pointer, OutboxSenderArgs arguments) {
  self = self_pointer;
  args = std::move(arguments);
  metrics.emplace(args.services->metrics, name);
}

void outbox_sender_state::on_wake() {
  woken_ = true;
  pump();
}

void outbox_sender_state::on_hurry(const std::string& entity) {
  hurried_.insert(entity);
  on_wake();
}

void outbox_sender_state::on_rekeyed() {
  hold_until_ = {};
  on_wake();
}

void outbox_sender_state::on_booked(std::int64_t seq, bool again) {
  const auto booked = busy_.extract(seq);
  if (!booked.empty()) {
    hurried_.erase(booked.mapped());
  }
  if (again) {
    look_again(args.services->clock.now() + args.services->config.store_retry);
  } else {
    woken_ = true;  // its entity may have more
  }
  pump();
}

void outbox_sender_state::look_again(Timestamp at) {
  next_due_ = next_due_ ? std::min(*next_due_, at) : at;
}

void outbox_sender_state::on_tick() {
  self->delayed_send(self, args.services->config.tick, tick_atom::value);
  if (next_due_ && *next_due_ <= args.services->clock.now()) {
    next_due_.reset();
    woken_ = true;
  }
  pump();
}

// One read at a time, and none while Stripe is not to be asked: what waits, waits in the database.
void outbox_sender_state::pump() {
  const auto& config = args.services->config;
  const auto now = args.services->clock.now();
  if (!woken_ || reading_ || now < hold_until_ || busy_.size() >= config.outbox_in_flight_max) {
    return;
  }
  woken_ = false;
  reading_ = true;
  std::vector<std::string> busy;
  for (const auto& [seq, entity] : busy_) {
    busy.push_back(entity);
  }
  const auto room = static_cast<int>(config.outbox_in_flight_max - busy_.size());
  args.services->outbox.read_ready(args.scope, now, std::min(config.outbox_page_rows_max, room), std::move(busy),
                                   [home = outbox_sender_actor{self}](Result<store::OutboxPage> page) {
                                     caf::anon_send(home, page_atom::value,
                                                    std::make_shared<Result<store::OutboxPage>>(std::move(page)));
                                   });
}

void outbox_sender_state::on_page(const Result<store::OutboxPage>& page) {
  reading_ = false;
  if (!page) {
    look_again(args.services->clock.now() + args.services->config.store_retry);
    return;
  }
  if (page->next_due) {
    look_again(*page->next_due);
  }
  woken_ = woken_ || !page->rows.empty();  // there may be more behind this page
  for (const auto& row : page->rows) {
    busy_.emplace(row.intent.seq, row.intent.entity_id);
  }
  for (const auto& row : page->rows) {
    send(row);
  }
  pump();
}

void outbox_sender_state::send(const store::OutboxRow& row) {
  FLEXSYNC_FAILPOINT("outbox.before_send");
  const auto lane = hurried_.contains(row.intent.entity_id) ? stripe::Lane::interactive : stripe::Lane::sync;
  auto step = sync::next_step(row.intent, row.stripe_id, lane, args.services->clock.now());
  std::visit(Overloaded{
                 [&](stripe::Call& wanted) { call(row, std::move(wanted)); },
                 [&](const sync::LookFirst& search) { look(row, search.created_since, {}, 1); },
                 [&](sync::PushResult& result) { hand_in(row, std::move(result)); },
             },
             step);
}

template <class Then>
void outbox_sender_state::ask(stripe::Call call, Then then) {
  self->request(args.stripe_client, args.services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(std::move(call)))
      .then([then](const CallOutcomePtr& outcome) { then(*outcome); },
            [then](const caf::error&) {
              then(stripe::CallOutcome(stripe::Unknown{"the Stripe client did not answer", false}));
            });
}

void outbox_sender_state::call(const store::OutboxRow& row, stripe::Call call) {
  ask(std::move(call), [this, row](const stripe::CallOutcome& outcome) { on_called(row, outcome); });
}

void outbox_sender_state::on_called(const store::OutboxRow& row, const stripe::CallOutcome& outcome) {
  FLEXSYNC_FAILPOINT("outbox.answered");
  if (hold(row, outcome)) {
    return;
  }
  std::visit(Overloaded{
                 [&](const stripe::RetryLater&) {},
                 [&](const stripe::NotConnected&) {},
                 [&](const auto& result) { hand_in(row, result); },
             },
             outcome);
}

// Stripe was not asked at all: nothing became of the intent, but it says why. It is read again when Stripe may be
// asked.
bool outbox_sender_state::hold(const store::OutboxRow& row, const stripe::CallOutcome& outcome) {
  const auto now = args.services->clock.now();
  const auto& intent = row.intent;
  if (const auto* later = std::get_if<stripe::RetryLater>(&outcome)) {
    hold_until_ = std::max({hold_until_, later->not_before, now + args.services->config.store_retry});
    if (intent.error_code.empty()) {  // what an attempt has told says more
      hand_in(row, sync::NotAsked{"retry_later", later->reason});
      return true;
    }
  } else if (const auto* paused = std::get_if<stripe::NotConnected>(&outcome)) {
    hold_until_ = std::max(hold_until_, now + args.services->config.outbox_pause);
    if (intent.error_message != paused->reason) {
      hand_in(row, sync::NotAsked{"not_connected", paused->reason});
      return true;
    }
  } else {
    return false;
  }
  busy_.erase(intent.seq);
  woken_ = true;
  pump();
  return true;
}

// Was the creation carried out after all? All customers made since then are looked through.
void outbox_sender_state::look(const store::OutboxRow& row, Timestamp since, const std::string& after, int page) {
  ask(stripe::list_customers(since, after), [this, row, since, page](const stripe::CallOutcome& outcome) {
    if (const auto* answered = std::get_if<stripe::Answered>(&outcome)) {
      on_looked(row, since, page, *answered);
    } else if (const auto* refused = std::get_if<stripe::Refused>(&outcome)) {
      hand_in(row, *refused);
    } else if (!hold(row, outcome)) {
      hand_in(row, stripe::Unknown{"Stripe's customers could not be listed", true});
    }
  });
}

void outbox_sender_state::on_looked(const store::OutboxRow& row, Timestamp since, int page,
                                    const stripe::Answered& answered) {
  const auto listed = stripe::parse_customer_page(answered.json);
  if (!listed) {
    hand_in(row, stripe::Unknown{listed.error().message, true});
    return;
  }
  for (const auto& customer : listed->customers) {
    if (sync::is_made_by(customer.state, row.intent, args.scope)) {
      hand_in(row, stripe::Answered{customer.json, answered.true_during, false});
      return;
    }
  }
  if (!listed->has_more || listed->customers.empty()) {
    hand_in(row, sync::KeySpent{});
  } else if (page >= args.services->config.outbox_look_pages_max) {
    hand_in(row, stripe::Unknown{"too many customers were made since to look through them all", true});
  } else {
    look(row, since, listed->customers.back().state.id.str(), page + 1);
  }
}

void outbox_sender_state::hand_in(const store::OutboxRow& row, sync::PushResult result) {
  auto push = std::make_shared<Push>(Push{row.intent, row.stripe_id, std::move(result)});
  if (const auto* answered = std::get_if<stripe::Answered>(&push->result); answered != nullptr) {
    if (const auto state = stripe::parse_customer(answered->json)) {
      push->stripe_id = state->id;
    }
  }
  self->send(args.supervisor, pushed_atom::value, PushPtr(std::move(push)));
}

outbox_sender_actor::behavior_type outbox_sender(outbox_sender_state::pointer self, OutboxSenderArgs args) {
  auto& state = self->state;
  state.init(self, std::move(args));
  log_failure(self, outbox_sender_state::name, "tenant_id", state.args.scope.tenant.str());
  self->send(self, tick_atom::value);
  return {
      [&state](wake_atom) { state.on_wake(); },
      [&state](hurry_atom, const std::string& entity) { state.on_hurry(entity); },
      [&state](booked_atom, std::int64_t seq, bool again) { state.on_booked(seq, again); },
      [&state](rekeyed_atom) { state.on_rekeyed(); },
      [&state](tick_atom) { state.on_tick(); },
      [&state, self](page_atom, const OutboxPagePtr& page) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_page(*page);
      },
  };
}

}  // namespace flexsync::actors
