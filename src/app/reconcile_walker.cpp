#include "app/reconcile_walker.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <utility>

namespace flexsync::app {

namespace {

constexpr int kMirrorRows = 1'000;

// Of what the source replies to.
template <class Value, class Ask>
Result<Value> wait_for(Ask ask) {
  std::promise<Result<Value>> promise;
  auto answer = promise.get_future();
  ask([&](Result<Value> value) { promise.set_value(std::move(value)); });
  return answer.get();
}

class Walker {
 public:
  Walker(StoreSession& session, const Scope& scope, StripeAsker& stripe, const store::ReconcileBasis& basis,
         const Repair& repair)
      : session_(session),
        scope_(scope),
        stripe_(stripe),
        basis_(basis),
        repair_(repair),
        source_(session.pool),
        walk_(session.clock.now()) {}

  tl::expected<ReconcileReport, ReconcileFailure> run() {
    using Phase = sync::ReconcileWalk::Phase;
    while (walk_.phase() != Phase::end) {
      if (walk_.phase() == Phase::listing) {
        compare_page();
        if (!failure_) {
          pause();
        }
      } else {
        find_missing();
      }
      if (failure_) {
        return tl::unexpected(std::move(*failure_));
      }
    }
    report_.compared = walk_.compared();
    return std::move(report_);
  }

 private:
  void compare_page() {
    const auto answered = ask(stripe::list_objects(walk_.type(), walk_.after()), "no list of " + walk_.type() + "s");
    if (!answered) {
      return;
    }
    auto page = stripe::parse_object_page(walk_.type(), answered->json);
    if (!page) {
      failure_ = {page.error(), true};
      return;
    }
    complete(*page);
    if (failure_) {
      return;
    }
    const auto known = wait_for<std::map<StripeId, KnownObject>>(
        [&](auto reply) { source_.known(scope_, walk_.type(), page->ids, std::move(reply)); });
    if (!known) {
      failure_ = {known.error()};
      return;
    }
    count(sync::tally(*page, *known, scope_, basis_.since));
    const auto differences = sync::differences_of(*page, *known, scope_, basis_.since);
    walk_.on_listed(*page, answered->true_during.from, static_cast<std::int64_t>(known->size()));
    take(differences);
  }

  // Compared is what shows all its items.
  void complete(stripe::ObjectPage& page) {
    while (auto* subscription = stripe::with_more_items(page)) {
      pause();
      const auto answered = ask(stripe::list_subscription_items(subscription->id), "no list of a subscription's items");
      if (!answered) {
        return;
      }
      if (const auto taken = stripe::take_items(*subscription, answered->json); !taken) {
        failure_ = {taken.error(), true};
        return;
      }
    }
  }

  std::optional<stripe::Answered> ask(const stripe::Call& call, const std::string& without) {
    auto outcome = stripe_.ask(call);
    if (auto* answered = std::get_if<stripe::Answered>(&outcome)) {
      return std::move(*answered);
    }
    failure_ = {stripe_.explain(outcome, without), true};
    return std::nullopt;
  }

  void pause() { pause_for(std::chrono::milliseconds(60'000 / session_.config.reconcile.calls_per_minute)); }

  void find_missing() {
    const auto page = wait_for<std::vector<MirroredObject>>([&](auto reply) {
      source_.mirrored(scope_, {walk_.type(), walk_.after(), walk_.listed_from(), kMirrorRows}, std::move(reply));
    });
    if (!page) {
      failure_ = {page.error()};
      return;
    }
    const auto gone = walk_.on_mirrored(*page);
    if (!gone) {
      failure_ = {gone.error()};
      return;
    }
    count({{sync::Finding::gone, static_cast<std::int64_t>(gone->size())}});
    take(*gone);
  }

  void count(const std::map<sync::Finding, std::int64_t>& findings) {
    for (const auto& [finding, times] : findings) {
      if (finding != sync::Finding::equal && times > 0) {
        report_.findings[sync::to_string(finding)] += times;
      }
    }
  }

  void take(const std::vector<sync::Difference>& differences) {
    for (const auto& difference : differences) {
      if (report_.differences.size() < kDifferencesShownMax) {
        report_.differences.push_back(difference);
      }
    }
    if (!differences.empty() && repair_) {
      if (const auto repaired = repair_(differences, walk_.began()); !repaired) {
        failure_ = {repaired.error()};
      }
    }
  }

  StoreSession& session_;
  const Scope& scope_;
  StripeAsker& stripe_;
  const store::ReconcileBasis& basis_;
  const Repair& repair_;
  store::StoreReconcileSource source_;
  sync::ReconcileWalk walk_;
  ReconcileReport report_;
  std::optional<ReconcileFailure> failure_;
};

}  // namespace

tl::expected<ReconcileReport, ReconcileFailure> reconcile_once(StoreSession& session, const Scope& scope,
                                                               const Repair& repair) {
  if (auto exists = require_environment(session, scope); !exists) {
    return tl::unexpected(ReconcileFailure{exists.error()});
  }
  store::StoreReconcileSource source(session.pool);
  const auto basis =
      wait_for<std::optional<store::ReconcileBasis>>([&](auto reply) { source.basis(scope, std::move(reply)); });
  if (!basis) {
    return tl::unexpected(ReconcileFailure{basis.error()});
  }
  const auto endpoint = read_endpoint(session, scope);
  if (!endpoint || !*basis) {
    return tl::unexpected(ReconcileFailure{
        endpoint ? Error{ErrorCode::not_found, "the environment has no connection to Stripe", {}} : endpoint.error()});
  }
  StripeAsker stripe(session.config, (*endpoint)->secret_key, session.clock);
  return Walker(session, scope, stripe, **basis, repair).run();
}

}  // namespace flexsync::app
