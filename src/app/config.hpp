// Every setting of the server with its default in place, and how settings are read.
//
// A setting comes from the TOML file, overridden by the environment: FLEXSYNC_<SECTION>_<KEY>, top-level keys without
// a section, every secret also as ..._FILE. An empty variable counts as not set. What a setting is called, what it
// may be and what it does stands once, in config_table.cpp; config/flexsync.toml and docs/configuration.md are
// rendered from there. An unknown name or a bad value is one line and no server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.hpp"
#include "domain/secret.hpp"

namespace flexsync::app {

struct HttpConfig {
  std::string address = "127.0.0.1";
  std::int64_t port = 8080;
  std::int64_t io_threads = 1;
  std::int64_t worker_threads = 2;
  std::int64_t worker_queue_max = 1'024;
  std::int64_t header_size_max = 16'384;
  std::int64_t body_size_max = 4'194'304;
  std::int64_t events_body_size_max = 8'388'608;
  std::int64_t webhook_body_size_max = 1'048'576;
  std::int64_t connections_max = 4'096;
  std::int64_t header_timeout_ms = 10'000;
  std::int64_t body_timeout_ms = 30'000;
  std::int64_t idle_timeout_ms = 60'000;
  std::int64_t wait_max_ms = 10'000;
  bool allow_plaintext = false;
  std::vector<std::string> trusted_proxies;        // addresses or CIDR ranges
  std::vector<std::string> webhook_ip_allow_list;  // empty: every address may deliver
};

struct AdminConfig {
  std::string address = "127.0.0.1";
  std::int64_t port = 9090;
};

struct DatabaseConfig {
  std::string url = "embedded";
  std::int64_t inbox_writers = 2;
  std::int64_t change_writers = 2;
  std::int64_t readers = 2;
  std::int64_t statement_timeout_ms = 15'000;
  std::int64_t connect_timeout_ms = 5'000;

  bool embedded() const { return url == "embedded"; }
};

struct InboxConfig {
  std::int64_t batch_rows_max = 256;
  std::int64_t queue_max = 8'192;
  std::int64_t page_size_max = 256;
  std::int64_t page_bytes_max = 8'388'608;
  std::int64_t in_flight_max = 512;
  std::int64_t sweep_interval_ms = 5'000;
  std::int64_t max_attempts = 8;
  std::int64_t retry_base_ms = 1'000;
  std::int64_t retry_cap_ms = 300'000;
};

struct ActorsConfig {
  std::int64_t scheduler_threads = 0;  // 0: as many as the machine has cores
  std::int64_t max_throughput = 100;
  std::int64_t entity_idle_ms = 10'000;
  std::int64_t live_entities_max = 300;
  std::int64_t entity_queue_max = 64;
  std::int64_t restart_base_ms = 100;
  std::int64_t restart_cap_ms = 30'000;
};

struct StripeConfig {
  std::string api_base = "https://api.stripe.com";
  std::string api_version = "2026-10-28.endive";
  std::int64_t timeout_seconds = 30;
  std::int64_t live_rate = 80;
  std::int64_t test_rate = 20;
  std::int64_t endpoint_rate = 20;
  std::int64_t meter_event_rate = 800;
  std::int64_t connections_max = 256;  // more than one tenant may have in flight
  Secret webhook_secret;
};

struct SyncConfig {
  std::string customer_deleted = "log";  // log | archive | delete
  std::string plan_source = "product";   // product | price
  bool create_missing_customer = true;
  bool create_missing_plan = true;
  bool match_email = false;
  std::string ordering = "payload";  // payload | refetch
  std::string conflict = "local";    // local | stripe
};

struct UsageConfig {
  std::int64_t window_minutes = 60;
  std::int64_t grace_period_minutes = 5;
  std::int64_t close_interval_ms = 10'000;
  std::int64_t match_interval_ms = 30'000;
  std::int64_t queue_rows_max = 200'000;
  std::int64_t batch_size_limit = 10'000;
};

struct CatchUpConfig {
  std::int64_t interval_seconds = 300;  // 0: what webhooks do not bring is not looked for
  std::int64_t overlap_seconds = 180;
  std::int64_t pages_max = 20;
};

struct ReconcileConfig {
  std::int64_t interval_seconds = 86'400;  // 0: nothing is compared with Stripe
  std::int64_t calls_per_minute = 120;
};

struct LogConfig {
  std::string level = "info";   // debug | info | warn | error
  std::string format = "text";  // text | json
};

struct Config {
  std::string data_dir = "./var";
  Secret admin_key;   // empty: generated once into data_dir
  Secret master_key;  // "id:base64 of 32 bytes", several separated by commas; empty: generated once into data_dir
  HttpConfig http;
  AdminConfig admin;
  DatabaseConfig database;
  InboxConfig inbox;
  ActorsConfig actors;
  StripeConfig stripe;
  SyncConfig sync;
  CatchUpConfig catch_up;
  ReconcileConfig reconcile;
  UsageConfig usage;
  LogConfig log;
};

using EnvironmentVariables = std::map<std::string, std::string>;

// The variables of this process that concern us: FLEXSYNC_… and STRIPE_….
EnvironmentVariables process_environment();

// Defaults, then the file, then the environment. The error is one line: the setting, its fault, what is allowed.
Result<Config> load_config(const std::optional<std::filesystem::path>& file, const EnvironmentVariables& environment);

}  // namespace flexsync::app
