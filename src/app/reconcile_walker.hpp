// One round of the comparison with Stripe, for a command: what the reconciler does, a step at a time, and a report.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/store_session.hpp"
#include "app/stripe_asker.hpp"
#include "store/reconcile_source.hpp"
#include "sync/reconcile.hpp"

namespace flexsync::app {

struct ReconcileReport {
  std::int64_t compared = 0;
  std::map<std::string, std::int64_t> findings;  // how many of each, but those that are equal
  std::vector<sync::Difference> differences;     // the first kDifferencesShownMax
};

inline constexpr std::size_t kDifferencesShownMax = 1'000;

// Stripe could not be asked: the error is in `not_asked`.
struct ReconcileFailure {
  Error error;
  bool not_asked = false;
};

// What is to be done about the differences of one page; an error ends the round.
using Repair = std::function<Result<void>(const std::vector<sync::Difference>&, Timestamp walk_began)>;

tl::expected<ReconcileReport, ReconcileFailure> reconcile_once(StoreSession& session, const Scope& scope,
                                                               const Repair& repair);

}  // namespace flexsync::app
