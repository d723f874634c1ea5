// Compares what is mirrored with what Stripe has, object by object, round after round (sync/reconcile.hpp).
//
// A round reads Stripe's lists through the bulk lane, no faster than its own budget of calls, and puts an event of our
// own into the inbox for every difference; so the object's actor repairs it, as it would take a webhook. A round that
// is given up (the store or Stripe was away, another supervisor owns the tenant) begins anew: nothing is lost but
// calls. Between rounds the shadows that are marked, since Stripe could not be asked when it mattered, are seen to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "sync/reconcile.hpp"

namespace flexsync::actors {

struct reconciler_state {
  using pointer = reconciler_actor::stateful_pointer<reconciler_state>;

  static constexpr const char* name = "reconciler";

  void init(pointer self_pointer, ServicesPtr used_services, Scope own_scope, stripe_client_actor client);
  void on_owned();
  void on_rekeyed();
  void on_tick(std::uint64_t round);
  void on_marks_tick();
  void on_basis(std::uint64_t round, const Result<std::optional<store::ReconcileBasis>>& basis);
  void on_known(std::uint64_t round, const Result<std::map<StripeId, KnownObject>>& known);
  void on_mirrored(std::uint64_t round, const Result<std::vector<MirroredObject>>& page);
  void on_marked(const Result<std::vector<MirroredObject>>& marked);
  void on_stored(std::uint64_t round, const Result<std::int64_t>& stored);
  void on_finished(std::uint64_t round, const Result<void>& finished);

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  struct Round {
    store::ReconcileBasis basis;
    sync::ReconcileWalk walk;
    stripe::ObjectPage page = {};  // of Stripe's list, waiting for what is known of it
    Timestamp true_from = {};      // of the page
    Timestamp next_call = {};      // not before
    std::int64_t differences = 0;
  };

  Timestamp now() const { return services->clock.now(); }
  bool works() const;
  void look();
  void go_on();
  void list();
  void list_items(const StripeId& subscription);
  void ask(stripe::Call call, void (reconciler_state::*take)(const stripe::Answered&));
  void on_outcome(const stripe::CallOutcome& outcome, void (reconciler_state::*take)(const stripe::Answered&));
  void on_listed(const stripe::Answered& answered);
  void on_items(const stripe::Answered& answered);
  void complete_page();
  void read_mirror();
  void repair(const std::vector<sync::Difference>& differences);
  void finish();
  void rest_until(Timestamp due);
  void fail_and_retry(const std::string& why, Timestamp at);
  void tick_at(Timestamp at);

  stripe_client_actor stripe_client_;
  bool owned_ = false;
  Timestamp rest_until_;  // no round begins before
  std::uint64_t rounds_ =
      0;  // counts those begun, and the rests between them: what an earlier one asked counts no more
  std::optional<Round> round_;
  std::string last_failure_;
};

// Linked to the supervisor, which sends `owned`. Without Services::reconcile and ::intake it does nothing.
reconciler_actor::behavior_type reconciler(reconciler_state::pointer self, ServicesPtr services, Scope scope,
                                           stripe_client_actor stripe_client);

}  // namespace flexsync::actors
