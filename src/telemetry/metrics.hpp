// Every metric the server has, in one place: name, help, labels. /metrics renders the registry.
//
// A metric is looked up once (at construction of what reports it), then used by reference without a lock.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

namespace flexsync {

class Metrics {
 public:
  Metrics();

  // The Prometheus text format, for /metrics.
  std::string render() const;

  // HTTP
  prometheus::Counter& http_requests(const std::string& route, const std::string& method, int status);
  prometheus::Histogram& http_seconds(const std::string& route);
  prometheus::Gauge& http_connections(const std::string& listener);

  // Inbox, per tenant and environment
  prometheus::Gauge& inbox_depth(const std::string& tenant, const std::string& environment);
  prometheus::Gauge& inbox_oldest_seconds(const std::string& tenant, const std::string& environment);
  prometheus::Counter& inbox_outcomes(const std::string& outcome);
  prometheus::Gauge& dead_letters(const std::string& tenant, const std::string& environment);

  // Outbox, per tenant and environment
  prometheus::Gauge& outbox_depth(const std::string& tenant, const std::string& environment);
  prometheus::Gauge& outbox_oldest_seconds(const std::string& tenant, const std::string& environment);
  prometheus::Gauge& outbox_refused(const std::string& tenant, const std::string& environment);

  // Group commit, by writer ("inbox", "changes")
  prometheus::Counter& commits(const std::string& writer);
  prometheus::Histogram& rows_per_commit(const std::string& writer);
  prometheus::Histogram& commit_seconds(const std::string& writer);
  prometheus::Gauge& writer_queue(const std::string& writer);
  prometheus::Counter& commit_failures(const std::string& writer);

  // Actors, by kind ("tenant_supervisor", "customer_sync", …)
  prometheus::Gauge& actor_live(const std::string& kind);
  prometheus::Counter& actor_restarts(const std::string& kind);
  prometheus::Counter& actor_messages(const std::string& kind);
  prometheus::Gauge& actor_mailbox(const std::string& kind);
  prometheus::Histogram& actor_handling_seconds(const std::string& kind);

  // Database pool, by role ("reads", "inbox", "changes")
  prometheus::Gauge& pool_connections(const std::string& pool);
  prometheus::Gauge& pool_busy(const std::string& pool);
  prometheus::Counter& pool_reconnects(const std::string& pool);

  // Stripe calls, by outcome
  prometheus::Counter& stripe_calls(const std::string& outcome);
  prometheus::Gauge& stripe_breaker_open(const std::string& tenant, const std::string& environment);
  prometheus::Gauge& stripe_paused(const std::string& tenant, const std::string& environment);
  prometheus::Histogram& stripe_seconds();

  // Usage
  prometheus::Counter& usage_batches(const std::string& status);
  prometheus::Counter& usage_batches_made();
  prometheus::Counter& usage_events_matched();

  // Catching up from Stripe's list of events
  prometheus::Counter& catch_up_events();
  prometheus::Counter& reconcile_differences();
  prometheus::Gauge& reconcile_walked(const std::string& tenant, const std::string& environment);
  prometheus::Gauge& catch_up_walked(const std::string& tenant, const std::string& environment);

 private:
  struct Families;
  prometheus::Registry registry_;
  std::shared_ptr<Families> families_;
};

}  // namespace flexsync
