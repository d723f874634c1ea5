// The walking half: Stripe's lists, what is known of them, repairs into the inbox, then what is listed no more.
#include <algorithm>
#include <caf/all.hpp>
#include <utility>
#include <variant>

#include "actors/list_failure.hpp"
#include "actors/reconciler.hpp"
#include "actors/send_home.hpp"
#include "actors/stored_batch.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

void reconciler_state::go_on() {
  switch (round_->walk.phase()) {
    case sync::ReconcileWalk::Phase::listing:
      if (now() < round_->next_call) {
        tick_at(round_->next_call);
      } else if (const auto* subscription = stripe::with_more_items(round_->page)) {
        list_items(subscription->id);
      } else {
        list();
      }
      return;
    case sync::ReconcileWalk::Phase::missing:
      read_mirror();
      return;
    case sync::ReconcileWalk::Phase::end:
      finish();
      return;
  }
}

// --- what Stripe has ----------------------------------------------------------------------------------------------

void reconciler_state::list() {
  ask(stripe::list_objects(round_->walk.type(), round_->walk.after()), &reconciler_state::on_listed);
}

void reconciler_state::list_items(const StripeId& subscription) {
  auto call = stripe::list_subscription_items(subscription);
  call.lane = stripe::Lane::bulk;
  ask(std::move(call), &reconciler_state::on_items);
}

void reconciler_state::ask(stripe::Call call, void (reconciler_state::*take)(const stripe::Answered&)) {
  round_->next_call = now() + services->config.reconcile_call_pause;
  const auto answer = [this, take, round = rounds_](const stripe::CallOutcome& outcome) {
    if (round == rounds_) {
      on_outcome(outcome, take);
    }
  };
  self->request(stripe_client_, services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(std::move(call)))
      .then([answer](const CallOutcomePtr& outcome) { answer(*outcome); },
            [answer](const caf::error&) { answer(stripe::Unknown{"the Stripe client did not answer"}); });
}

void reconciler_state::on_outcome(const stripe::CallOutcome& outcome,
                                  void (reconciler_state::*take)(const stripe::Answered&)) {
  if (const auto* answered = std::get_if<stripe::Answered>(&outcome)) {
    (this->*take)(*answered);
    return;
  }
  const auto& config = services->config;
  const auto failure =
      list_failure(outcome, now(), {config.reconcile_retry, config.reconcile_retry, config.reconcile_interval});
  fail_and_retry(failure.why, failure.again_at);
}

void reconciler_state::on_listed(const stripe::Answered& answered) {
  auto page = stripe::parse_object_page(round_->walk.type(), answered.json);
  if (!page) {
    fail_and_retry(page.error().message, now() + services->config.reconcile_interval);
    return;
  }
  for (const auto& error : page->unreadable) {
    log::error("an object in Stripe's list cannot be read, and is not compared",
               {{"tenant_id", scope.tenant.str()}, {"error", error.message}});
  }
  last_failure_.clear();
  round_->page = std::move(*page);
  round_->true_from = answered.true_during.from;
  complete_page();
}

void reconciler_state::on_items(const stripe::Answered& answered) {
  if (const auto taken = stripe::take_items(*stripe::with_more_items(round_->page), answered.json); !taken) {
    fail_and_retry(taken.error().message, now() + services->config.reconcile_interval);
    return;
  }
  complete_page();
}

// Compared is what shows all its items.
void reconciler_state::complete_page() {
  if (stripe::with_more_items(round_->page) != nullptr) {
    go_on();
    return;
  }
  services->reconcile->known(scope, round_->walk.type(), round_->page.ids,
                             send_home<known_atom, std::map<StripeId, KnownObject>>(reconciler_actor{self}, rounds_));
}

void reconciler_state::on_known(std::uint64_t round, const Result<std::map<StripeId, KnownObject>>& known) {
  if (round != rounds_) {
    return;
  }
  if (!known) {
    fail_and_retry(known.error().message, now() + services->config.reconcile_retry);
    return;
  }
  const auto differences = sync::differences_of(round_->page, *known, scope, round_->basis.since);
  round_->walk.on_listed(round_->page, round_->true_from, static_cast<std::int64_t>(known->size()));
  round_->page = {};
  repair(differences);
}

// --- what Stripe has no more --------------------------------------------------------------------------------------

void reconciler_state::read_mirror() {
  const auto& walk = round_->walk;
  services->reconcile->mirrored(
      scope, {walk.type(), walk.after(), walk.listed_from(), services->config.reconcile_page_rows_max},
      send_home<page_atom, std::vector<MirroredObject>>(reconciler_actor{self}, rounds_));
}

void reconciler_state::on_mirrored(std::uint64_t round, const Result<std::vector<MirroredObject>>& page) {
  if (round != rounds_) {
    return;
  }
  if (!page) {
    fail_and_retry(page.error().message, now() + services->config.reconcile_retry);
    return;
  }
  const auto gone = round_->walk.on_mirrored(*page);
  if (!gone) {
    log::error(gone.error().message, {{"tenant_id", scope.tenant.str()}, {"environment_id", scope.environment.str()}});
    rest_until(now() + services->config.reconcile_interval);
    return;
  }
  repair(*gone);
}

// --- repairs ------------------------------------------------------------------------------------------------------

void reconciler_state::repair(const std::vector<sync::Difference>& differences) {
  if (differences.empty()) {
    go_on();
    return;
  }
  const auto batch =
      std::make_shared<StoredBatch<reconciler_actor>>(reconciler_actor{self}, rounds_, differences.size());
  for (const auto& difference : differences) {
    log::warn("a mirrored object is not as Stripe has it", {{"tenant_id", scope.tenant.str()},
                                                            {"object_id", difference.object.id.str()},
                                                            {"finding", sync::to_string(difference.finding)}});
    services->intake->store(sync::repair_of(difference, scope, round_->walk.began(), now()),
                            [batch](const Result<IntakeResult>& stored) { batch->answer(stored, true); });
  }
}

void reconciler_state::on_stored(std::uint64_t round, const Result<std::int64_t>& stored) {
  if (round != rounds_ || !round_) {
    return;
  }
  if (!stored) {
    fail_and_retry(stored.error().message, now() + services->config.reconcile_retry);
    return;
  }
  round_->differences += *stored;
  services->metrics.reconcile_differences().Increment(static_cast<double>(*stored));
  go_on();
}

void reconciler_state::finish() {
  services->reconcile->finish(scope, round_->basis.connection, now(), round_->walk.compared(), round_->differences,
                              send_home<booked_atom, void>(reconciler_actor{self}, rounds_));
}

void reconciler_state::on_finished(std::uint64_t round, const Result<void>& finished) {
  if (round != rounds_) {
    return;
  }
  if (!finished) {
    fail_and_retry(finished.error().message, now() + services->config.reconcile_retry);
    return;
  }
  const std::chrono::duration<double> since_1970 = now().time_since_epoch();
  services->metrics.reconcile_walked(scope.tenant.str(), scope.environment.str()).Set(since_1970.count());
  log::info(
      "compared with Stripe",
      {{"tenant_id", scope.tenant.str()}, {"objects", round_->walk.compared()}, {"differences", round_->differences}});
  rest_until(now() + services->config.reconcile_interval);
}

// --- marks --------------------------------------------------------------------------------------------------------

void reconciler_state::on_marks_tick() {
  services->reconcile->marked(scope, services->config.reconcile_page_rows_max,
                              [home = reconciler_actor{self}](Result<std::vector<MirroredObject>> marked) {
                                caf::anon_send(
                                    home, marked_atom::value,
                                    std::make_shared<const Result<std::vector<MirroredObject>>>(std::move(marked)));
                              });
}

// Each interval asks once: what is parked meanwhile is not marked for us.
void reconciler_state::on_marked(const Result<std::vector<MirroredObject>>& marked) {
  self->delayed_send(self, services->config.reconcile_marks_interval, due_atom::value);
  if (!marked) {
    return;
  }
  for (const auto& object : *marked) {
    services->intake->store(sync::repair_of(sync::marked_difference(object.shadow), scope, now(), now()),
                            [](const Result<IntakeResult>&) {});
  }
}

}  // namespace flexsync::actors
