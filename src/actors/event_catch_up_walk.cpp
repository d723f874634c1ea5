// The walking half: from the cursor through pages and ranges into the inbox, the cursor behind it.
#include <algorithm>
#include <caf/all.hpp>
#include <utility>
#include <variant>

#include "actors/event_catch_up.hpp"
#include "actors/list_failure.hpp"
#include "actors/send_home.hpp"
#include "actors/stored_batch.hpp"
#include "stripe/event_types.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

constexpr std::chrono::seconds kDeliveryPatience{60};  // an event younger than that may have its webhook on its way
constexpr const char* kRequestId = "catch-up";

}  // namespace

void event_catch_up_state::begin(store::WalkWhen when) {
  busy_ = true;
  when_ = when;
  walk_.reset();
  services->catch_up->begin(
      scope, when, now(), now() + 2 * services->config.catch_up_interval,
      send_home<begun_atom, std::optional<store::CatchUpCursor>>(event_catch_up_actor{self}, ++walks_));
}

void event_catch_up_state::on_begun(std::uint64_t walk, const Result<std::optional<store::CatchUpCursor>>& begun) {
  if (walk != walks_) {
    return;
  }
  if (!begun) {
    fail_and_retry("the cursor of events could not be read", begun.error().message,
                   now() + services->config.catch_up_retry);
  } else if (*begun) {
    start(**begun);
  } else if (when_ == store::WalkWhen::now) {
    rest_until(now() + services->config.catch_up_interval);  // there is no connection: `rekeyed` says when there is
  } else {
    busy_ = false;
  }
}

void event_catch_up_state::start(const store::CatchUpCursor& begun) {
  const auto& config = services->config;
  const auto oldest = now() - sync::kEventsListedFor;
  if (begun.at < oldest) {
    log::warn("Stripe lists no event that is older than 30 days: what was missed before is not found by its events",
              {{"tenant_id", scope.tenant.str()}, {"cursor", to_rfc3339(begun.at)}});
  }
  walk_.emplace(
      Walk{.begun = begun, .plan = {std::max(begun.at, oldest), config.catch_up, stripe::event_type_groups()}});
  ask();
}

void event_catch_up_state::ask() {
  const auto& range = walk_->plan.range();
  const auto types = stripe::event_type_group(walk_->plan.group());
  self->request(
          stripe_client_, services->config.stripe_answer_timeout, call_atom::value,
          std::make_shared<const stripe::Call>(stripe::list_events(types, range.from, range.before, walk_->after)))
      .then([this, walk = walks_](const CallOutcomePtr& outcome) { on_outcome(walk, *outcome); },
            [this, walk = walks_](const caf::error&) {
              on_outcome(walk, stripe::Unknown{"the Stripe client did not answer"});
            });
}

void event_catch_up_state::on_outcome(std::uint64_t walk, const stripe::CallOutcome& outcome) {
  if (walk != walks_) {
    return;
  }
  if (const auto* answered = std::get_if<stripe::Answered>(&outcome)) {
    take_page(*answered);
    return;
  }
  const auto& config = services->config;
  const auto failure =
      list_failure(outcome, now(), {config.catch_up_retry, config.catch_up_pause, config.catch_up_interval});
  fail_and_retry("Stripe's list of events could not be read", failure.why, failure.again_at);
}

void event_catch_up_state::take_page(const stripe::Answered& answered) {
  auto page = stripe::parse_event_page(answered.json);
  if (!page) {
    fail_and_retry("Stripe's list of events is not understood", page.error().message,
                   now() + services->config.catch_up_interval);
    return;
  }
  for (const auto& error : page->unreadable) {
    log::error("an event in Stripe's list cannot be read, and is left out",
               {{"tenant_id", scope.tenant.str()}, {"error", error.message}});
  }
  last_failure_.clear();
  walk_->page = std::move(*page);
  walk_->true_from = answered.true_during.from;
  store_page();
}

// Through the same intake as webhooks: what is known already is a duplicate.
void event_catch_up_state::store_page() {
  auto events = std::exchange(walk_->page.events, {});
  if (events.empty()) {
    on_stored(walks_, 0);
    return;
  }
  const auto batch =
      std::make_shared<StoredBatch<event_catch_up_actor>>(event_catch_up_actor{self}, walks_, events.size());
  for (auto& [envelope, json] : events) {
    auto ignored = stripe::wrong_mode(envelope.livemode, walk_->begun.livemode);
    const bool is_late = envelope.created < walk_->true_from - kDeliveryPatience;
    auto event = stripe::incoming_event(std::move(envelope), std::move(json));
    event.scope = scope;
    event.received = now();
    event.request_id = kRequestId;
    event.ignored = std::move(ignored);
    services->intake->store(std::move(event),
                            [batch, is_late](const Result<IntakeResult>& stored) { batch->answer(stored, is_late); });
  }
}

void event_catch_up_state::on_stored(std::uint64_t walk, const Result<std::int64_t>& late) {
  if (walk != walks_) {
    return;
  }
  if (!late) {
    fail_and_retry("missed events could not be stored", late.error().message, now() + services->config.catch_up_retry);
    return;
  }
  walk_->late += *late;
  services->metrics.catch_up_events().Increment(static_cast<double>(*late));
  const auto step = walk_->plan.on_page(walk_->page.has_more, walk_->true_from);
  walk_->next = step.next;
  if (step.reached) {
    move_cursor(*step.reached);
  } else {
    go_on();
  }
}

void event_catch_up_state::move_cursor(Timestamp reached) {
  services->catch_up->move(scope, walk_->begun, reached, now() + 2 * services->config.catch_up_interval,
                           send_home<moved_atom, bool>(event_catch_up_actor{self}, walks_));
}

void event_catch_up_state::on_moved(std::uint64_t walk, const Result<bool>& moved) {
  if (walk != walks_) {
    return;
  }
  if (!moved) {
    fail_and_retry("the cursor of events could not be moved", moved.error().message,
                   now() + services->config.catch_up_retry);
  } else if (!*moved) {
    rest_until(now());  // set back meanwhile: from there, then
  } else {
    go_on();
  }
}

void event_catch_up_state::go_on() {
  if (walk_->next == sync::CatchUpWalk::Next::end) {
    if (walk_->late > 0) {
      log::warn("events were found that no webhook had brought",
                {{"tenant_id", scope.tenant.str()}, {"events", walk_->late}});
    }
    const std::chrono::duration<double> since_1970 = now().time_since_epoch();
    services->metrics.catch_up_walked(scope.tenant.str(), scope.environment.str()).Set(since_1970.count());
    rest_until(now() + services->config.catch_up_interval);
    return;
  }
  walk_->after = walk_->next == sync::CatchUpWalk::Next::page ? walk_->page.last_id : std::string();
  ask();
}

}  // namespace flexsync::actors
