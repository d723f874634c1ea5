#include "app/settings.hpp"

namespace flexsync::app {

namespace {

// The configuration has checked every range; what is left is the width.
int to_int(std::int64_t value) {
  return static_cast<int>(value);
}

std::size_t to_size(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

sync::CustomerDeleted customer_deleted(const std::string& setting) {
  if (setting == "archive") {
    return sync::CustomerDeleted::archive;
  }
  return setting == "delete" ? sync::CustomerDeleted::remove : sync::CustomerDeleted::log;
}

sync::Settings sync_settings(const Config& config) {
  const auto& given = config.sync;
  sync::Settings settings;
  settings.customer_deleted = customer_deleted(given.customer_deleted);
  settings.ordering = given.ordering == "refetch" ? sync::Ordering::refetch : sync::Ordering::payload;
  settings.conflict = given.conflict == "stripe" ? sync::FieldConflict::stripe : sync::FieldConflict::local;
  settings.plan_source = given.plan_source == "price" ? sync::PlanSource::price : sync::PlanSource::product;
  settings.create_missing_customer = given.create_missing_customer;
  settings.create_missing_plan = given.create_missing_plan;
  settings.match_email = given.match_email;
  return settings;
}

}  // namespace

http::ServerConfig server_config(const Config& config) {
  http::ServerConfig server;
  server.address = config.http.address;
  server.port = static_cast<std::uint16_t>(config.http.port);
  server.admin_address = config.admin.address;
  server.admin_port = static_cast<std::uint16_t>(config.admin.port);
  server.io_threads = to_int(config.http.io_threads);
  server.worker_threads = to_int(config.http.worker_threads);
  server.worker_queue_max = to_size(config.http.worker_queue_max);
  server.header_size_max = to_size(config.http.header_size_max);
  server.body_size_max = to_size(config.http.body_size_max);
  server.events_body_size_max = to_size(config.http.events_body_size_max);
  server.webhook_body_size_max = to_size(config.http.webhook_body_size_max);
  server.connections_max = to_int(config.http.connections_max);
  server.header_timeout_ms = to_int(config.http.header_timeout_ms);
  server.body_timeout_ms = to_int(config.http.body_timeout_ms);
  server.idle_timeout_ms = to_int(config.http.idle_timeout_ms);
  server.wait_max_ms = to_int(config.http.wait_max_ms);
  server.trusted_proxies = config.http.trusted_proxies;
  server.webhook_ip_allow_list = config.http.webhook_ip_allow_list;
  server.allow_plaintext = config.http.allow_plaintext;
  return server;
}

actors::SchedulerConfig scheduler_config(const Config& config) {
  return {to_int(config.actors.scheduler_threads), to_int(config.actors.max_throughput)};
}

actors::ActorConfig actor_config(const Config& config) {
  actors::ActorConfig actors;
  actors.page_rows_max = to_int(config.inbox.page_size_max);
  actors.page_bytes_max = config.inbox.page_bytes_max;
  actors.in_flight_max = to_size(config.inbox.in_flight_max);
  actors.sweep_interval = std::chrono::milliseconds(config.inbox.sweep_interval_ms);
  actors.entity_queue_max = to_size(config.actors.entity_queue_max);
  actors.live_entities_max = to_size(config.actors.live_entities_max);
  actors.entity_idle = std::chrono::milliseconds(config.actors.entity_idle_ms);
  actors.restart_base = std::chrono::milliseconds(config.actors.restart_base_ms);
  actors.restart_cap = std::chrono::milliseconds(config.actors.restart_cap_ms);
  actors.stripe_timeout = std::chrono::seconds(config.stripe.timeout_seconds);
  actors.retry = {to_int(config.inbox.max_attempts), std::chrono::milliseconds(config.inbox.retry_base_ms),
                  std::chrono::milliseconds(config.inbox.retry_cap_ms)};
  actors.stripe_rates = {config.stripe.live_rate, config.stripe.test_rate, config.stripe.endpoint_rate,
                         config.stripe.meter_event_rate};
  actors.stripe_deadline = 2 * actors.stripe_timeout;
  actors.stripe_answer_timeout = 3 * actors.stripe_timeout;
  actors.catch_up_interval = std::chrono::seconds(config.catch_up.interval_seconds);
  actors.catch_up = {std::chrono::seconds(config.catch_up.overlap_seconds), to_int(config.catch_up.pages_max)};
  actors.reconcile_interval = std::chrono::seconds(config.reconcile.interval_seconds);
  actors.reconcile_call_pause = std::chrono::milliseconds(60'000 / config.reconcile.calls_per_minute);
  actors.usage_grace = std::chrono::minutes(config.usage.grace_period_minutes);
  actors.usage_close_interval = std::chrono::milliseconds(config.usage.close_interval_ms);
  actors.usage_match_interval = std::chrono::milliseconds(config.usage.match_interval_ms);
  actors.usage_close_batches_max = to_int(config.usage.batch_size_limit);
  actors.sync = sync_settings(config);
  return actors;
}

store::ReadPoolConfig read_pool_config(const Config& config, const std::string& url) {
  store::ReadPoolConfig pool;
  pool.url = url;
  pool.threads = to_int(config.database.readers);
  pool.statement_timeout_ms = to_int(config.database.statement_timeout_ms);
  return pool;
}

store::InboxWriterConfig inbox_writer_config(const Config& config, const std::string& url) {
  store::InboxWriterConfig writer;
  writer.url = url;
  writer.writers = to_int(config.database.inbox_writers);
  writer.batch_rows_max = to_size(config.inbox.batch_rows_max);
  writer.queue_max = to_size(config.inbox.queue_max);
  writer.statement_timeout_ms = to_int(config.database.statement_timeout_ms);
  return writer;
}

store::ChangeWriterConfig change_writer_config(const Config& config, const std::string& url) {
  store::ChangeWriterConfig writer;
  writer.url = url;
  writer.writers = to_int(config.database.change_writers);
  writer.statement_timeout_ms = to_int(config.database.statement_timeout_ms);
  return writer;
}

store::SnapshotLoaderConfig snapshot_config(const Config& config, const std::string& url) {
  store::SnapshotLoaderConfig loader;
  loader.url = url;
  loader.statement_timeout_ms = to_int(config.database.statement_timeout_ms);
  return loader;
}

store::ReadPoolConfig ledger_pool_config(const Config& config, const std::string& url) {
  auto pool = read_pool_config(config, url);
  pool.name = "usage";
  pool.threads = 2;  // closing windows takes a while, and must not hold up the sending of batches
  return pool;
}

store::UsageWriterConfig usage_writer_config(const Config& config, const std::string& url) {
  store::UsageWriterConfig writer;
  writer.url = url;
  writer.queue_rows_max = to_size(config.usage.queue_rows_max);
  writer.window = std::chrono::minutes(config.usage.window_minutes);
  writer.statement_timeout_ms = to_int(config.database.statement_timeout_ms);
  return writer;
}

stripe::CurlTransportConfig transport_config(const Config& config) {
  stripe::CurlTransportConfig transport;
  transport.api_base = config.stripe.api_base;
  transport.api_version = config.stripe.api_version;
  transport.connections_max = config.stripe.connections_max;
  return transport;
}

std::vector<Secret> global_webhook_secrets(const Config& config) {
  if (config.stripe.webhook_secret.empty()) {
    return {};
  }
  return {config.stripe.webhook_secret};
}

}  // namespace flexsync::app
