#include "actors/usage_timer.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <iterator>
#include <variant>

#include "actors/log_failure.hpp"
#include "actors/send_home.hpp"
#include "stripe/meter.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

stripe::Call call_of(const UsageBatch& batch) {
  auto call = stripe::create_meter_event(stripe::meter_event_body(batch), batch.identifier);
  call.idempotency_key = sync::idempotency_key(batch);
  return call;
}

}  // namespace

void usage_timer_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope,
                             stripe_client_actor client) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  stripe_client_ = std::move(client);
  metrics.emplace(services->metrics, name);
}

// --- ownership and time -------------------------------------------------------------------------------------------

void usage_timer_state::on_owned(std::int64_t epoch) {
  stop();
  epoch_ = epoch;
  work();
}

// Whatever is under way belongs to an ownership that is over; what it had sent is sent again under its identifier.
void usage_timer_state::stop() {
  epoch_ = 0;
  ++ownership_;
  closing_ = matching_ = sweeping_ = reading_ = booking_ = Job{};
  paused_until_ = Timestamp{};
  in_flight_.clear();
  busy_.clear();
  results_.clear();
  submitted_.clear();
}

void usage_timer_state::on_wake() {
  closing_.due = matching_.due = reading_.due = Timestamp{};
  work();
}

void usage_timer_state::on_rekeyed() {
  paused_until_ = Timestamp{};
  reading_.due = Timestamp{};
  work();
}

void usage_timer_state::on_tick() {
  self->delayed_send(self, services->config.tick, tick_atom::value);
  work();
}

void usage_timer_state::work() {
  close_windows();
  match_events();
  sweep_keys();
  submit_results();
  read_page();
}

bool usage_timer_state::may_begin(Job& job) {
  if (epoch_ == 0 || services->usage == nullptr || job.running || services->clock.now() < job.due) {
    return false;
  }
  job.running = true;
  return true;
}

// Plans the next run; false when this one failed.
bool usage_timer_state::finished(Job& job, const std::string& what, const std::optional<Error>& error,
                                 std::chrono::milliseconds interval, bool more) {
  job.running = false;
  if (error && error->code == ErrorCode::version_conflict) {
    stop();  // another supervisor owns the tenant; ours finds out by itself
    return false;
  }
  const auto pause = error ? services->config.store_retry : more ? std::chrono::milliseconds{0} : interval;
  job.due = services->clock.now() + pause;
  if (error) {
    log::warn(what + " failed, it is tried again", {{"tenant_id", scope.tenant.str()}, {"error", error->message}});
  }
  return !error;
}

// --- jobs ---------------------------------------------------------------------------------------------------------

void usage_timer_state::close_windows() {
  if (may_begin(closing_)) {
    const auto& config = services->config;
    const store::CloseRequest request{epoch_, services->clock.now(), config.usage_grace, config.usage_policy.age_max,
                                      config.usage_close_batches_max};
    services->usage->close_windows(scope, request,
                                   send_home<closed_atom, store::Closed>(usage_timer_actor{self}, ownership_));
  }
}

void usage_timer_state::on_closed(std::uint64_t ownership, const Result<store::Closed>& closed) {
  if (ownership != ownership_) {
    return;
  }
  const bool more = closed && closed->more;
  if (finished(closing_, "closing windows", error_of(closed), services->config.usage_close_interval, more) &&
      closed->batches > 0) {
    services->metrics.usage_batches_made().Increment(static_cast<double>(closed->batches));
    reading_.due = Timestamp{};
  }
  work();
}

void usage_timer_state::match_events() {
  if (may_begin(matching_)) {
    services->usage->match_again(scope, epoch_, services->config.usage_match_events_max, services->clock.now(),
                                 send_home<matched_atom, std::int64_t>(usage_timer_actor{self}, ownership_));
  }
}

void usage_timer_state::on_matched(std::uint64_t ownership, const Result<std::int64_t>& events) {
  if (ownership != ownership_) {
    return;
  }
  const bool more = events && *events >= services->config.usage_match_events_max;
  if (finished(matching_, "matching events", error_of(events), services->config.usage_match_interval, more)) {
    services->metrics.usage_events_matched().Increment(static_cast<double>(*events));
  }
  work();
}

void usage_timer_state::sweep_keys() {
  if (may_begin(sweeping_)) {
    services->usage->sweep_keys(scope, services->clock.now(), services->config.usage_keys_rows_max,
                                send_home<swept_atom, std::int64_t>(usage_timer_actor{self}, ownership_));
  }
}

void usage_timer_state::on_swept(std::uint64_t ownership, const Result<std::int64_t>& keys) {
  if (ownership == ownership_) {
    const bool more = keys && *keys >= services->config.usage_keys_rows_max;
    finished(sweeping_, "sweeping keys", error_of(keys), services->config.usage_keys_interval, more);
    work();
  }
}

// --- sending ------------------------------------------------------------------------------------------------------

void usage_timer_state::read_page() {
  const auto& config = services->config;
  if (services->clock.now() < paused_until_ ||
      in_flight_.size() + config.usage_page_rows_max > config.usage_in_flight_max || !may_begin(reading_)) {
    return;
  }
  // Planned here, so that what becomes due meanwhile can only bring it forward.
  reading_.due = services->clock.now() + config.usage_sweep_interval;
  rows_asked_ = config.usage_page_rows_max;
  std::vector<BatchId> ids;
  ids.reserve(in_flight_.size());
  for (const auto& [id, batch] : in_flight_) {
    ids.push_back(id);
  }
  services->usage->read_pending(
      scope, services->clock.now(), static_cast<int>(rows_asked_), std::move(ids),
      [home = usage_timer_actor{self}, ownership = ownership_](Result<std::vector<UsageBatch>> page) {
        caf::anon_send(home, page_atom::value, ownership,
                       std::make_shared<Result<std::vector<UsageBatch>>>(std::move(page)));
      });
}

void usage_timer_state::on_page(std::uint64_t ownership, Result<std::vector<UsageBatch>>& page) {
  if (ownership != ownership_) {
    return;
  }
  if (!page) {
    finished(reading_, "reading pending batches", page.error(), {}, false);
    return;
  }
  reading_.running = false;
  const auto before = in_flight_.size();
  const bool full = page->size() >= rows_asked_;
  for (auto& batch : *page) {
    take(std::move(batch));
  }
  if (full && in_flight_.size() > before) {
    reading_.due = Timestamp{};
  }
  work();
}

void usage_timer_state::take(UsageBatch batch) {
  if (in_flight_.contains(batch.id) || !busy_.emplace(batch.customer_id, batch.meter_id).second) {
    return;  // an earlier one of this customer and meter is on its way: its end brings the page again
  }
  const auto now = services->clock.now();
  const auto id = batch.id;
  auto& taken = in_flight_.emplace(id, InFlight{std::move(batch), now}).first->second;
  if (auto end = sync::before_attempt(taken.batch, now, services->config.usage_policy)) {
    book(std::move(*end));
  } else if (taken.batch.first_sent_at) {
    taken.first_sent = *taken.batch.first_sent_at;
    send(taken);
  } else {
    taken.to_be_sent = true;
    book(sync::sending(taken.batch, now));
  }
}

void usage_timer_state::send(InFlight& in_flight) {
  in_flight.to_be_sent = false;
  const auto& batch = in_flight.batch;
  if (services->clock.now() < paused_until_) {
    book(sync::not_sent(batch));
    return;
  }
  FLEXSYNC_FAILPOINT("usage.before_send");
  self->request(stripe_client_, services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(call_of(batch)))
      .then([this, ownership = ownership_,
             id = batch.id](const CallOutcomePtr& outcome) { on_outcome(ownership, id, *outcome); },
            [this, ownership = ownership_, id = batch.id](const caf::error&) {
              on_outcome(ownership, id, stripe::Unknown{"the Stripe client did not answer"});
            });
}

void usage_timer_state::on_outcome(std::uint64_t ownership, const BatchId& id, const stripe::CallOutcome& outcome) {
  if (ownership != ownership_) {
    return;
  }
  FLEXSYNC_FAILPOINT("usage.before_booking");
  const auto now = services->clock.now();
  if (const auto* later = std::get_if<stripe::RetryLater>(&outcome)) {
    pause_until(later->not_before);
  } else if (std::holds_alternative<stripe::NotConnected>(outcome)) {
    pause_until(now + services->config.usage_pause);
  }
  const auto& sent = in_flight_.at(id);
  book(sync::after_attempt(sent.batch, outcome, now, sent.first_sent, services->config.usage_policy));
  submit_results();
}

void usage_timer_state::pause_until(Timestamp time) {
  paused_until_ = std::max(paused_until_, time);
}

// --- booking ------------------------------------------------------------------------------------------------------

void usage_timer_state::book(BatchResult result) {
  results_.push_back(std::move(result));
}

// One group at a time: what comes in while one is being booked goes with the next.
void usage_timer_state::submit_results() {
  if (submitted_.empty()) {
    submitted_ = std::exchange(results_, {});
  }
  if (!submitted_.empty() && may_begin(booking_)) {
    services->usage->book(scope, epoch_, submitted_, services->clock.now(),
                          send_home<booked_atom, void>(usage_timer_actor{self}, ownership_));
  }
}

void usage_timer_state::on_booked(std::uint64_t ownership, const Result<void>& booked) {
  if (ownership != ownership_) {
    return;
  }
  if (!finished(booking_, "booking batches", error_of(booked), {}, false)) {
    return;  // the same group again
  }
  for (const auto& result : std::exchange(submitted_, {})) {
    conclude(result);
  }
  work();
}

void usage_timer_state::conclude(const BatchResult& result) {
  const auto found = in_flight_.find(result.id);
  if (found->second.to_be_sent) {
    send(found->second);
    return;
  }
  services->metrics.usage_batches(to_string(result.status)).Increment();
  busy_.erase({found->second.batch.customer_id, found->second.batch.meter_id});
  in_flight_.erase(found);
  // There may be the next one of this customer and meter, or this one again.
  const auto due = result.status == BatchStatus::pending ? result.next_attempt_at : Timestamp{};
  reading_.due = std::min(reading_.due, due);
}

usage_timer_actor::behavior_type usage_timer(usage_timer_state::pointer self, ServicesPtr services, Scope scope,
                                             stripe_client_actor stripe_client) {
  auto& state = self->state;
  state.init(self, std::move(services), std::move(scope), std::move(stripe_client));
  log_failure(self, usage_timer_state::name, "tenant_id", state.scope.tenant.str());
  if (state.services->usage != nullptr) {
    self->delayed_send(self, state.services->config.tick, tick_atom::value);
  }
  return {
      [&state](owned_atom, std::int64_t epoch) { state.on_owned(epoch); },
      [&state](wake_atom) { state.on_wake(); },
      [&state](rekeyed_atom) { state.on_rekeyed(); },
      [&state](tick_atom) { state.on_tick(); },
      [&state](closed_atom, std::uint64_t ownership, const ClosedPtr& closed) { state.on_closed(ownership, *closed); },
      [&state](matched_atom, std::uint64_t ownership, const CountPtr& events) { state.on_matched(ownership, *events); },
      [&state](swept_atom, std::uint64_t ownership, const CountPtr& keys) { state.on_swept(ownership, *keys); },
      [&state, self](page_atom, std::uint64_t ownership, const UsageBatchesPtr& page) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_page(ownership, *page);
      },
      [&state, self](booked_atom, std::uint64_t ownership, const BookedPtr& booked) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_booked(ownership, *booked);
      },
  };
}

}  // namespace flexsync::actors
