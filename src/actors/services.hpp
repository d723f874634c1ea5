// What the actors work with: long-lived, thread-safe, owned by app. Settings with their defaults.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

#include "domain/clock.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/ports.hpp"
#include "domain/secret.hpp"
#include "store/catch_up_cursors.hpp"
#include "store/change_writer.hpp"
#include "store/inbox_source.hpp"
#include "store/outbox_source.hpp"
#include "store/reconcile_source.hpp"
#include "store/snapshot_loader.hpp"
#include "store/usage_ledger.hpp"
#include "stripe/circuit_breaker.hpp"
#include "stripe/rate_limiter.hpp"
#include "stripe/retry_policy.hpp"
#include "stripe/transport.hpp"
#include "sync/catch_up.hpp"
#include "sync/failure.hpp"
#include "sync/settings.hpp"
#include "sync/usage.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::actors {

struct ActorConfig {
  int page_rows_max = 256;
  std::int64_t page_bytes_max = 4 * 1024 * 1024;
  std::size_t in_flight_max = 512;      // events of one tenant between page and commit
  std::size_t entity_queue_max = 64;    // events waiting in one entity actor; over it its object is skipped
  std::size_t live_entities_max = 300;  // per tenant; idle ones go first
  std::chrono::milliseconds entity_idle{5'000};
  std::chrono::milliseconds tick{250};
  std::chrono::milliseconds sweep_interval{5'000};
  std::chrono::milliseconds node_sweep_interval{5'000};
  std::chrono::milliseconds restart_base{100};
  std::chrono::milliseconds restart_cap{30'000};
  std::chrono::milliseconds store_retry{250};
  std::chrono::milliseconds stripe_answer_timeout{
      90'000};  // for the client actor's answer; its own deadline is shorter
  std::chrono::milliseconds stripe_timeout{30'000};
  std::size_t stripe_calls_max = 64;                        // of one tenant, in flight
  std::size_t stripe_queue_max = 1'024;                     // of one tenant and lane, waiting
  std::chrono::milliseconds stripe_deadline{60'000};        // for a call with all its retries
  std::chrono::milliseconds stripe_probe_interval{60'000};  // while a connection is paused
  stripe::RateLimits stripe_rates;
  stripe::BreakerPolicy stripe_breaker;
  stripe::RetryPolicies stripe_retries;
  int refetch_attempts_max = 5;
  int stale_retries_max = 5;
  std::size_t commands_max = 256;         // API commands of one tenant, accepted and not answered
  std::size_t outbox_in_flight_max = 64;  // intents of one tenant, between page and commit
  int outbox_page_rows_max = 64;
  std::chrono::milliseconds outbox_pause{60'000};  // after "not connected": the Stripe client probes no more often
  int outbox_look_pages_max = 1'000;               // of 100 customers, when a creation is searched for
  sync::RetryPolicy retry;
  sync::RetryPolicy push_retry{0, std::chrono::milliseconds{1'000}, std::chrono::milliseconds{5 * 60 * 1000}};
  sync::Settings sync;
  std::chrono::minutes usage_grace{5};  // after a window's end, for late events
  std::chrono::milliseconds usage_close_interval{10'000};
  int usage_close_batches_max = 10'000;  // in one transaction
  std::size_t usage_page_rows_max = 32;
  std::size_t usage_in_flight_max = 64;                   // batches between page and booking; at least a page
  std::chrono::milliseconds usage_sweep_interval{5'000};  // pending batches that nobody announced
  std::chrono::milliseconds usage_pause{60'000};          // without a connection
  std::chrono::milliseconds usage_match_interval{30'000};
  int usage_match_events_max = 5'000;
  std::chrono::milliseconds usage_keys_interval{10 * 60'000};
  int usage_keys_rows_max = 20'000;
  sync::UsagePolicy usage_policy;
  std::chrono::milliseconds catch_up_interval{5 * 60'000};  // none: nothing is caught up
  std::chrono::milliseconds catch_up_retry{30'000};         // after Stripe, or the store, was not available
  std::chrono::milliseconds catch_up_pause{60'000};         // while the connection is paused, or has no key
  sync::CatchUpPolicy catch_up;
  std::chrono::milliseconds reconcile_interval{24 * 60 * 60'000};  // from round to round; none: nothing is compared
  std::chrono::milliseconds reconcile_start{10 * 60'000};          // after a start, events that were missed come first
  std::chrono::milliseconds reconcile_call_pause{500};             // from call to call: the budget
  std::chrono::milliseconds reconcile_marks_interval{5 * 60'000};
  std::chrono::milliseconds reconcile_retry{60'000};
  int reconcile_page_rows_max = 256;

  // After so many attempts an event that says its object's state goes on without Stripe's answer.
  int asked_max() const { return std::min(refetch_attempts_max, retry.attempts_max); }
};

// The secret key of a tenant's Stripe connection; empty where there is none.
using KeySource = std::function<void(const Scope&, std::function<void(Result<Secret>)>)>;

struct Services {
  store::ChangeSink& changes;
  store::SnapshotSource& snapshots;
  store::InboxSource& inbox;
  store::OutboxSource& outbox;
  stripe::Transport& transport;
  KeySource stripe_key;
  std::function<void(std::function<void(Result<std::vector<Scope>>)>)> tenants_with_work;
  const Clock& clock;
  Metrics& metrics;
  ActorConfig config;
  store::UsageLedger* usage = nullptr;        // none: no usage is billed
  store::CatchUpCursors* catch_up = nullptr;  // none, or no intake: what webhooks do not bring is not looked for
  WebhookIntake* intake = nullptr;
  store::ReconcileSource* reconcile = nullptr;  // none, or no intake: nothing is compared with Stripe
};

using ServicesPtr = std::shared_ptr<const Services>;

}  // namespace flexsync::actors
