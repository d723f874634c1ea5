#include "telemetry/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace flexsync {

namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Around the promises: acknowledged in 20 ms, a page of work in a second.
const Buckets kLatencySeconds = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
const Buckets kHandlingSeconds = {0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1};
const Buckets kStripeSeconds = {0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60};
const Buckets kRowsPerCommit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

// A client chooses the method, so an unknown one must not become a time series of its own.
constexpr std::array<std::string_view, 7> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

// The answer lives for ever, whatever became of the argument.
std::string_view known_method(std::string_view method) {
  const auto* const found = std::find(kMethods.begin(), kMethods.end(), method);
  return found == kMethods.end() ? std::string_view("other") : *found;
}

template <class Builder>
auto& family(Builder builder, prometheus::Registry& registry, const char* name, const char* help) {
  return builder.Name(name).Help(help).Register(registry);
}

auto& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return family(prometheus::BuildCounter(), registry, name, help);
}

auto& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return family(prometheus::BuildGauge(), registry, name, help);
}

auto& histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return family(prometheus::BuildHistogram(), registry, name, help);
}

// Every request asks for its counter, and a look-up in the family locks, copies the labels and hashes them.
class RequestCounters {
 public:
  explicit RequestCounters(prometheus::Family<prometheus::Counter>& family) : family_(family) {}

  prometheus::Counter& get(std::string_view route, std::string_view method, int status) {
    const Key key{route, known_method(method), status};
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = counters_.find(key); found != counters_.end()) {
        return *found->second.counter;
      }
    }
    const std::unique_lock lock(mutex_);
    if (const auto found = counters_.find(key); found != counters_.end()) {
      return *found->second.counter;
    }
    auto& added = family_.Add(
        {{"route", std::string(route)}, {"method", std::string(std::get<1>(key))}, {"status", std::to_string(status)}});
    // The key points into its own entry: the text behind the unique_ptr never moves.
    auto text = std::make_unique<const std::string>(route);
    const Key own{*text, std::get<1>(key), status};
    counters_.emplace(own, Entry{std::move(text), &added});
    return added;
  }

 private:
  using Key = std::tuple<std::string_view, std::string_view, int>;

  struct Entry {
    std::unique_ptr<const std::string> route;
    prometheus::Counter* counter;
  };

  struct Hash {
    std::size_t operator()(const Key& key) const {
      const std::hash<std::string_view> text;
      return (text(std::get<0>(key)) * 31 + text(std::get<1>(key))) * 31 + static_cast<std::size_t>(std::get<2>(key));
    }
  };

  prometheus::Family<prometheus::Counter>& family_;
  std::shared_mutex mutex_;
  std::unordered_map<Key, Entry, Hash> counters_;
};

}  // namespace

struct Metrics::Families {
  explicit Families(prometheus::Registry& r)
      : http_requests(counter(r, "flexsync_http_requests_total", "HTTP requests answered, by route and status.")),
        http_seconds(histogram(r, "flexsync_http_request_seconds", "Time from a request's last byte to its answer.")),
        http_connections(gauge(r, "flexsync_http_connections", "Open connections, by listener.")),
        inbox_depth(gauge(r, "flexsync_inbox_depth", "Webhooks acknowledged and not yet settled.")),
        inbox_oldest_seconds(gauge(r, "flexsync_inbox_oldest_seconds", "Age of the oldest webhook not yet settled.")),
        inbox_outcomes(counter(r, "flexsync_inbox_outcomes_total", "Webhooks settled, by what became of them.")),
        dead_letters(gauge(r, "flexsync_dead_letters", "Webhooks given up after their last attempt.")),
        outbox_depth(gauge(r, "flexsync_outbox_depth", "Changes that Stripe has not been told yet.")),
        outbox_oldest_seconds(gauge(r, "flexsync_outbox_oldest_seconds", "Age of the oldest change not told yet.")),
        outbox_refused(gauge(r, "flexsync_outbox_refused", "Changes that Stripe has refused.")),
        commits(counter(r, "flexsync_commits_total", "Transactions committed by a group-commit writer.")),
        rows_per_commit(histogram(r, "flexsync_rows_per_commit", "How many callers shared one commit.")),
        commit_seconds(histogram(r, "flexsync_commit_seconds", "Time of one group commit, statements included.")),
        writer_queue(gauge(r, "flexsync_writer_queue", "Work waiting for a group-commit writer.")),
        commit_failures(counter(r, "flexsync_commit_failures_total", "Group commits that PostgreSQL did not take.")),
        actor_live(gauge(r, "flexsync_actor_live", "Actors alive, by kind.")),
        actor_restarts(counter(r, "flexsync_actor_restarts_total", "Actors restarted by their supervisor.")),
        actor_messages(counter(r, "flexsync_actor_messages_total", "Messages handled, by kind of actor.")),
        actor_mailbox(gauge(r, "flexsync_actor_mailbox", "Messages waiting in mailboxes, by kind of actor.")),
        actor_handling_seconds(histogram(r, "flexsync_actor_handling_seconds", "Time to handle one message.")),
        pool_connections(gauge(r, "flexsync_pool_connections", "Open database connections, by pool.")),
        pool_busy(gauge(r, "flexsync_pool_busy", "Database connections at work, by pool.")),
        pool_reconnects(
            counter(r, "flexsync_pool_reconnects_total", "Database connections opened again after a loss.")),
        stripe_calls(counter(r, "flexsync_stripe_calls_total", "Calls to Stripe, by outcome.")),
        stripe_breaker_open(gauge(r, "flexsync_stripe_breaker_open", "1 while Stripe is not asked after failures.")),
        stripe_paused(gauge(r, "flexsync_stripe_paused", "1 while Stripe does not accept the connection's key.")),
        stripe_seconds(histogram(r, "flexsync_stripe_call_seconds", "Time of one call to Stripe.")),
        usage_batches(counter(r, "flexsync_usage_batches_total", "Usage batches booked, by status.")),
        usage_batches_made(
            counter(r, "flexsync_usage_batches_made_total", "Usage batches made by closing windows, of all kinds.")),
        usage_events_matched(counter(r, "flexsync_usage_events_matched_total",
                                     "Usage events attributed after their customer appeared.")),
        catch_up_events(counter(r, "flexsync_catch_up_events_total",
                                "Events found in Stripe's list that no webhook had brought a minute after them.")),
        catch_up_walked(gauge(r, "flexsync_catch_up_walked_timestamp_seconds",
                              "When Stripe's list of events was last walked to its end.")),
        reconcile_differences(counter(r, "flexsync_reconcile_differences_total",
                                      "Mirrored objects found to differ from Stripe's, and given to repair.")),
        reconcile_walked(gauge(r, "flexsync_reconcile_walked_timestamp_seconds",
                               "When all mirrored objects had last been compared with Stripe.")),
        request_counters(http_requests) {}

  template <class Metric>
  using Family = prometheus::Family<Metric>;
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;

  Family<Counter>& http_requests;
  Family<Histogram>& http_seconds;
  Family<Gauge>& http_connections;
  Family<Gauge>& inbox_depth;
  Family<Gauge>& inbox_oldest_seconds;
  Family<Counter>& inbox_outcomes;
  Family<Gauge>& dead_letters;
  Family<Gauge>& outbox_depth;
  Family<Gauge>& outbox_oldest_seconds;
  Family<Gauge>& outbox_refused;
  Family<Counter>& commits;
  Family<Histogram>& rows_per_commit;
  Family<Histogram>& commit_seconds;
  Family<Gauge>& writer_queue;
  Family<Counter>& commit_failures;
  Family<Gauge>& actor_live;
  Family<Counter>& actor_restarts;
  Family<Counter>& actor_messages;
  Family<Gauge>& actor_mailbox;
  Family<Histogram>& actor_handling_seconds;
  Family<Gauge>& pool_connections;
  Family<Gauge>& pool_busy;
  Family<Counter>& pool_reconnects;
  Family<Counter>& stripe_calls;
  Family<Gauge>& stripe_breaker_open;
  Family<Gauge>& stripe_paused;
  Family<Histogram>& stripe_seconds;
  Family<Counter>& usage_batches;
  Family<Counter>& usage_batches_made;
  Family<Counter>& usage_events_matched;
  Family<Counter>& catch_up_events;
  Family<Gauge>& catch_up_walked;
  Family<Counter>& reconcile_differences;
  Family<Gauge>& reconcile_walked;
  RequestCounters request_counters;
};

Metrics::Metrics() : families_(std::make_shared<Families>(registry_)) {}

std::string Metrics::render() const {
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

prometheus::Counter& Metrics::http_requests(const std::string& route, const std::string& method, int status) {
  return families_->request_counters.get(route, method, status);
}

prometheus::Histogram& Metrics::http_seconds(const std::string& route) {
  return families_->http_seconds.Add({{"route", route}}, kLatencySeconds);
}

prometheus::Gauge& Metrics::http_connections(const std::string& listener) {
  return families_->http_connections.Add({{"listener", listener}});
}

prometheus::Gauge& Metrics::inbox_depth(const std::string& tenant, const std::string& environment) {
  return families_->inbox_depth.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Gauge& Metrics::inbox_oldest_seconds(const std::string& tenant, const std::string& environment) {
  return families_->inbox_oldest_seconds.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Counter& Metrics::inbox_outcomes(const std::string& outcome) {
  return families_->inbox_outcomes.Add({{"outcome", outcome}});
}

prometheus::Gauge& Metrics::dead_letters(const std::string& tenant, const std::string& environment) {
  return families_->dead_letters.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Gauge& Metrics::outbox_depth(const std::string& tenant, const std::string& environment) {
  return families_->outbox_depth.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Gauge& Metrics::outbox_oldest_seconds(const std::string& tenant, const std::string& environment) {
  return families_->outbox_oldest_seconds.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Gauge& Metrics::outbox_refused(const std::string& tenant, const std::string& environment) {
  return families_->outbox_refused.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Counter& Metrics::commits(const std::string& writer) {
  return families_->commits.Add({{"writer", writer}});
}

prometheus::Histogram& Metrics::rows_per_commit(const std::string& writer) {
  return families_->rows_per_commit.Add({{"writer", writer}}, kRowsPerCommit);
}

prometheus::Histogram& Metrics::commit_seconds(const std::string& writer) {
  return families_->commit_seconds.Add({{"writer", writer}}, kLatencySeconds);
}

prometheus::Gauge& Metrics::writer_queue(const std::string& writer) {
  return families_->writer_queue.Add({{"writer", writer}});
}

prometheus::Counter& Metrics::commit_failures(const std::string& writer) {
  return families_->commit_failures.Add({{"writer", writer}});
}

prometheus::Gauge& Metrics::actor_live(const std::string& kind) {
  return families_->actor_live.Add({{"kind", kind}});
}

prometheus::Counter& Metrics::actor_restarts(const std::string& kind) {
  return families_->actor_restarts.Add({{"kind", kind}});
}

prometheus::Counter& Metrics::actor_messages(const std::string& kind) {
  return families_->actor_messages.Add({{"kind", kind}});
}

prometheus::Gauge& Metrics::actor_mailbox(const std::string& kind) {
  return families_->actor_mailbox.Add({{"kind", kind}});
}

prometheus::Histogram& Metrics::actor_handling_seconds(const std::string& kind) {
  return families_->actor_handling_seconds.Add({{"kind", kind}}, kHandlingSeconds);
}

prometheus::Gauge& Metrics::pool_connections(const std::string& pool) {
  return families_->pool_connections.Add({{"pool", pool}});
}

prometheus::Gauge& Metrics::pool_busy(const std::string& pool) {
  return families_->pool_busy.Add({{"pool", pool}});
}

prometheus::Counter& Metrics::pool_reconnects(const std::string& pool) {
  return families_->pool_reconnects.Add({{"pool", pool}});
}

prometheus::Gauge& Metrics::stripe_breaker_open(const std::string& tenant, const std::string& environment) {
  return families_->stripe_breaker_open.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Gauge& Metrics::stripe_paused(const std::string& tenant, const std::string& environment) {
  return families_->stripe_paused.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Counter& Metrics::stripe_calls(const std::string& outcome) {
  return families_->stripe_calls.Add({{"outcome", outcome}});
}

prometheus::Histogram& Metrics::stripe_seconds() {
  return families_->stripe_seconds.Add({}, kStripeSeconds);
}

prometheus::Counter& Metrics::usage_batches(const std::string& status) {
  return families_->usage_batches.Add({{"status", status}});
}

prometheus::Counter& Metrics::usage_batches_made() {
  return families_->usage_batches_made.Add({});
}

prometheus::Counter& Metrics::usage_events_matched() {
  return families_->usage_events_matched.Add({});
}

prometheus::Counter& Metrics::catch_up_events() {
  return families_->catch_up_events.Add({});
}

prometheus::Gauge& Metrics::catch_up_walked(const std::string& tenant, const std::string& environment) {
  return families_->catch_up_walked.Add({{"tenant", tenant}, {"environment", environment}});
}

prometheus::Counter& Metrics::reconcile_differences() {
  return families_->reconcile_differences.Add({});
}

prometheus::Gauge& Metrics::reconcile_walked(const std::string& tenant, const std::string& environment) {
  return families_->reconcile_walked.Add({{"tenant", tenant}, {"environment", environment}});
}

}  // namespace flexsync
