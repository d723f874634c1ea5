#include "app/config_table.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "store/key_ring.hpp"

namespace flexsync::app {

namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::int64_t kGiB = 1'073'741'824;

bool is_ip_address(const std::string& text) {
  std::array<unsigned char, 16> buffer{};
  return inet_pton(AF_INET, text.c_str(), buffer.data()) == 1 || inet_pton(AF_INET6, text.c_str(), buffer.data()) == 1;
}

bool is_ip_range(const std::string& text) {
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  if (!is_ip_address(address)) {
    return false;
  }
  if (slash == std::string::npos) {
    return true;
  }
  int bits = -1;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data() + slash + 1, end, bits);
  return fault == std::errc{} && stop == end && bits >= 0 &&
         bits <= (address.find(':') == std::string::npos ? 32 : 128);
}

bool is_http_url(const std::string& text) {
  const std::size_t host = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : std::string::npos;
  return host != std::string::npos && text.size() > host && text.back() != '/' &&
         text.find_first_of(" ?#@") == std::string::npos;
}

bool is_database_url(const std::string& text) {
  return text == "embedded" || text.starts_with("postgres://") || text.starts_with("postgresql://") ||
         text.find('=') != std::string::npos;
}

// 2026-10-28, or with a release name: 2026-10-28.endive
bool is_api_version(const std::string& text) {
  constexpr std::string_view form = "dddd-dd-dd";
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (i >= text.size() || (form[i] == 'd' ? !digit : text[i] != '-')) {
      return false;
    }
  }
  return text.size() == form.size() ||
         (text[form.size()] == '.' && text.size() > form.size() + 1 &&
          std::all_of(text.begin() + 11, text.end(), [](unsigned char c) { return std::isalnum(c) != 0; }));
}

// Here and not only where the keys are used: a malformed one ends the start before a database is made.
bool is_master_keys(const std::string& text) {
  return store::KeyRing::parse(Secret(text)).has_value();
}

bool is_not_empty(const std::string& value) {
  return !value.empty();
}

bool is_long_enough(const std::string& value) {
  return value.size() >= 16;
}

// What a text must look like, as a check and in words.
struct Form {
  bool (*valid)(const std::string&);
  std::string_view words;
};

constexpr Form kMasterKeys = {is_master_keys, "id:base64 of 32 bytes"};
constexpr Form kSigningSecret = {is_not_empty, "a secret such as whsec_…"};
constexpr Form kPath = {is_not_empty, "a path"};
constexpr Form kLongEnough = {is_long_enough, "at least 16 characters"};
constexpr Form kIpAddress = {is_ip_address, "an IP address such as 127.0.0.1, 0.0.0.0 or ::1"};
constexpr Form kIpRange = {is_ip_range, "IP addresses or CIDR ranges"};
constexpr Form kHttpUrl = {is_http_url, "an http:// or https:// URL without a trailing slash"};
constexpr Form kDatabaseUrl = {is_database_url, "\"embedded\" or a URL such as postgresql://user@host/database"};
constexpr Form kApiVersion = {is_api_version, "a version such as 2026-10-28.endive"};

// SLOT(http.port): where that setting's value lives.
#define SLOT(member) [](Config& config) -> Slot { return &config.member; }

using SlotOf = Slot (*)(Config&);

Setting number(std::string_view name, SlotOf slot, std::int64_t min, std::int64_t max, std::string_view help) {
  return {.name = name, .slot = slot, .help = help, .min = min, .max = max};
}

Setting flag(std::string_view name, SlotOf slot, std::string_view help) {
  return {.name = name, .slot = slot, .help = help};
}

Setting choice(std::string_view name, SlotOf slot, std::vector<std::string_view> choices, std::string_view help) {
  return {.name = name, .slot = slot, .help = help, .choices = std::move(choices)};
}

Setting text(std::string_view name, SlotOf slot, const Form& form, std::string_view help) {
  return {.name = name, .slot = slot, .help = help, .valid = form.valid, .allowed = form.words};
}

Setting secret(std::string_view name, SlotOf slot, const Form& form, std::string_view help) {
  return {.name = name, .slot = slot, .help = help, .valid = form.valid, .allowed = form.words, .secret = true};
}

Setting also_as(std::string_view alias, Setting setting) {
  setting.alias = alias;
  return setting;
}

std::vector<Setting> top_level() {
  return {
      text("data_dir", SLOT(data_dir), kPath, "where the server keeps the embedded database and the keys it generates"),
      secret("admin_key", SLOT(admin_key), kLongEnough,
             "the key that may create tenants; when not set, generated once into data_dir/admin.key"),
      secret(
          "master_key", SLOT(master_key), kMasterKeys,
          "encrypts stored secrets; several separated by commas, the first encrypts; when not set, generated once into "
          "data_dir/master.key"),
  };
}

std::vector<Setting> http() {
  return {
      text("http.address", SLOT(http.address), kIpAddress,
           "address of the public listener; beyond loopback only with http.allow_plaintext"),
      number("http.port", SLOT(http.port), 0, 65'535, "port of the public listener; 0 takes a free one"),
      number("http.io_threads", SLOT(http.io_threads), 1, 64, "threads that read and write connections"),
      number("http.worker_threads", SLOT(http.worker_threads), 1, 256,
             "threads that answer what waits for the database"),
      number("http.worker_queue_max", SLOT(http.worker_queue_max), 1, 1'000'000,
             "requests that may wait for a worker; more are answered 503"),
      number("http.header_size_max", SLOT(http.header_size_max), 1'024, 1'048'576,
             "bytes of a request's header; more is answered 431"),
      number("http.body_size_max", SLOT(http.body_size_max), 1'024, kGiB,
             "bytes of a request's body; more is answered 413"),
      number("http.events_body_size_max", SLOT(http.events_body_size_max), 1'024, 67'108'864,
             "bytes of many usage events in one call; more is answered 413"),
      number("http.webhook_body_size_max", SLOT(http.webhook_body_size_max), 1'024, 67'108'864,
             "bytes of a webhook's body; more is answered 413"),
      number("http.connections_max", SLOT(http.connections_max), 1, 1'000'000,
             "connections open at once; more wait in the kernel's backlog"),
      number("http.header_timeout_ms", SLOT(http.header_timeout_ms), 100, kHourMs,
             "a client must have sent the header by then"),
      number("http.body_timeout_ms", SLOT(http.body_timeout_ms), 100, kHourMs,
             "a client must have sent the body by then"),
      number("http.idle_timeout_ms", SLOT(http.idle_timeout_ms), 100, kHourMs,
             "a kept-alive connection without a request is closed after this"),
      number("http.wait_max_ms", SLOT(http.wait_max_ms), 100, 30'000,
             "how long Prefer: wait waits for Stripe, unless it names less"),
      flag("http.allow_plaintext", SLOT(http.allow_plaintext),
           "serve plain HTTP beyond loopback, for a proxy in front that terminates TLS"),
      text("http.trusted_proxies", SLOT(http.trusted_proxies), kIpRange, "proxies whose X-Forwarded-For is believed"),
      text("http.webhook_ip_allow_list", SLOT(http.webhook_ip_allow_list), kIpRange,
           "who may deliver webhooks, e.g. Stripe's published addresses; empty lets everyone try"),
  };
}

std::vector<Setting> admin_and_database() {
  return {
      text("admin.address", SLOT(admin.address), kIpAddress, "address of the listener for health and metrics"),
      number("admin.port", SLOT(admin.port), 0, 65'535,
             "port of the listener for health and metrics; 0 takes a free one"),
      secret("database.url", SLOT(database.url), kDatabaseUrl,
             "embedded runs a private PostgreSQL under data_dir; anything else is a libpq URL"),
      number("database.inbox_writers", SLOT(database.inbox_writers), 1, 32, "connections that store what arrives"),
      number("database.change_writers", SLOT(database.change_writers), 1, 32, "connections that apply changes"),
      number("database.readers", SLOT(database.readers), 1, 64, "connections that read"),
      number("database.statement_timeout_ms", SLOT(database.statement_timeout_ms), 100, kHourMs,
             "a statement that takes longer is cancelled"),
      number("database.connect_timeout_ms", SLOT(database.connect_timeout_ms), 1'000, kHourMs,
             "how long an attempt to connect may take"),
  };
}

std::vector<Setting> inbox() {
  return {
      number("inbox.batch_rows_max", SLOT(inbox.batch_rows_max), 1, 4'096, "webhooks that share one commit at most"),
      number("inbox.queue_max", SLOT(inbox.queue_max), 1, 1'000'000,
             "webhooks that may wait for a commit; more are answered 503"),
      number("inbox.page_size_max", SLOT(inbox.page_size_max), 1, 10'000,
             "events a tenant reads from its inbox at once"),
      number("inbox.page_bytes_max", SLOT(inbox.page_bytes_max), 65'536, kGiB,
             "bytes a tenant reads from its inbox at once"),
      number("inbox.in_flight_max", SLOT(inbox.in_flight_max), 1, 100'000,
             "events of one tenant being worked on at once"),
      number("inbox.sweep_interval_ms", SLOT(inbox.sweep_interval_ms), 10, kHourMs,
             "how often a tenant looks for work that nobody announced"),
      number("inbox.max_attempts", SLOT(inbox.max_attempts), 1, 1'000,
             "attempts before an event becomes a dead letter"),
      number("inbox.retry_base_ms", SLOT(inbox.retry_base_ms), 1, kDayMs,
             "pause after the first failed attempt; doubles with each"),
      number("inbox.retry_cap_ms", SLOT(inbox.retry_cap_ms), 1, kDayMs, "the longest pause between attempts"),
  };
}

std::vector<Setting> actors() {
  return {
      number("actors.scheduler_threads", SLOT(actors.scheduler_threads), 0, 256,
             "threads that run actors; 0 takes one per core"),
      number("actors.max_throughput", SLOT(actors.max_throughput), 1, 1'000'000,
             "messages an actor handles before another gets its turn"),
      number("actors.entity_idle_ms", SLOT(actors.entity_idle_ms), 10, kDayMs,
             "an entity's actor without work stops after this"),
      number("actors.live_entities_max", SLOT(actors.live_entities_max), 1, 1'000'000,
             "entity actors of one tenant alive at once; others wait in the inbox"),
      number("actors.entity_queue_max", SLOT(actors.entity_queue_max), 1, 100'000,
             "changes that may wait for one entity"),
      number("actors.restart_base_ms", SLOT(actors.restart_base_ms), 1, kHourMs,
             "pause before a failed actor is restarted; doubles with each failure"),
      number("actors.restart_cap_ms", SLOT(actors.restart_cap_ms), 1, kHourMs, "the longest pause before a restart"),
  };
}

std::vector<Setting> stripe() {
  return {
      text("stripe.api_base", SLOT(stripe.api_base), kHttpUrl, "where Stripe's API is"),
      text("stripe.api_version", SLOT(stripe.api_version), kApiVersion, "the Stripe-Version sent with every request"),
      also_as("STRIPE_API_TIMEOUT_SECONDS", number("stripe.timeout_seconds", SLOT(stripe.timeout_seconds), 1, 600,
                                                   "how long a call to Stripe may take")),
      number("stripe.live_rate", SLOT(stripe.live_rate), 1, 100'000,
             "calls a second with a live key, of one tenant; Stripe allows 100"),
      number("stripe.test_rate", SLOT(stripe.test_rate), 1, 100'000,
             "calls a second with a test key, of one tenant; Stripe allows 25"),
      number("stripe.endpoint_rate", SLOT(stripe.endpoint_rate), 1, 100'000,
             "calls a second to one endpoint, of one tenant; Stripe allows 25"),
      number("stripe.meter_event_rate", SLOT(stripe.meter_event_rate), 1, 100'000,
             "meter events a second with a live key; Stripe allows 1,000, and with a test key no more than of all"),
      number("stripe.connections_max", SLOT(stripe.connections_max), 1, 1'024, "connections to Stripe at once"),
      also_as("STRIPE_WEBHOOK_SECRET",
              secret("stripe.webhook_secret", SLOT(stripe.webhook_secret), kSigningSecret,
                     "signing secret of the global webhook address; when not set, that address refuses")),
  };
}

std::vector<Setting> rules() {
  return {
      choice("sync.customer_deleted", SLOT(sync.customer_deleted), {"log", "archive", "delete"},
             "what a customer deleted in Stripe means for ours"),
      choice("sync.plan_source", SLOT(sync.plan_source), {"product", "price"},
             "whether a product, or each of its recurring prices, is a plan and its twin addon"),
      flag("sync.create_missing_customer", SLOT(sync.create_missing_customer),
           "a subscription whose customer is not here makes it; if not, its event is blocked until the customer "
           "appears"),
      flag("sync.create_missing_plan", SLOT(sync.create_missing_plan), "the same of its plan and addons"),
      flag("sync.match_email", SLOT(sync.match_email),
           "a customer of Stripe's that is new here and claims none of ours is ours of the same e-mail, if exactly one "
           "that is mapped to none of Stripe's has it; several are a dead letter"),
      choice("sync.ordering", SLOT(sync.ordering), {"payload", "refetch"},
             "payload believes what an event carries; refetch takes it as a hint and asks Stripe"),
      choice("sync.conflict", SLOT(sync.conflict), {"local", "stripe"},
             "whose value stands where Stripe changes a field that was changed here and not yet told to it"),
      number("catch_up.interval_seconds", SLOT(catch_up.interval_seconds), 0, 86'400,
             "how often Stripe's list of events is read for those that no webhook has brought; 0 never"),
      number("catch_up.overlap_seconds", SLOT(catch_up.overlap_seconds), 10, 3'600,
             "how much of what was read is read again, since Stripe may list an event late"),
      number("catch_up.pages_max", SLOT(catch_up.pages_max), 1, 10'000,
             "pages of 100 events read in one go; a longer backlog is divided, and its oldest part read first"),
      number("reconcile.interval_seconds", SLOT(reconcile.interval_seconds), 0, 30 * 86'400,
             "how often all that is mirrored is compared with Stripe, and repaired where it differs; 0 never"),
      number("reconcile.calls_per_minute", SLOT(reconcile.calls_per_minute), 1, 6'000,
             "the most calls that comparing makes for one environment; each shows 100 objects"),
      number("usage.window_minutes", SLOT(usage.window_minutes), 5, 60,
             "length of a usage window: 5, 6, 10, 12, 15, 20, 30 or 60"),
      number("usage.close_interval_ms", SLOT(usage.close_interval_ms), 10, kHourMs,
             "how often windows that are over are looked for"),
      number("usage.match_interval_ms", SLOT(usage.match_interval_ms), 10, kHourMs,
             "how often events of unknown customers are matched again"),
      number("usage.queue_max", SLOT(usage.queue_rows_max), 1'000, 100'000'000,
             "usage events that may wait for a commit; more are answered 503"),
      also_as("STRIPE_SYNC_GRACE_PERIOD_MINUTES",
              number("usage.grace_period_minutes", SLOT(usage.grace_period_minutes), 0, 1'440,
                     "how long a usage window stays open for late events")),
      also_as("STRIPE_BATCH_SIZE_LIMIT", number("usage.batch_size_limit", SLOT(usage.batch_size_limit), 1, 1'000'000,
                                                "usage batches made in one run at most")),
      choice("log.level", SLOT(log.level), {"debug", "info", "warn", "error"}, "the least that is logged"),
      choice("log.format", SLOT(log.format), {"text", "json"}, "text for people, json for programs"),
  };
}

#undef SLOT

std::vector<Setting> make_table() {
  std::vector<Setting> table;
  for (const auto& part : {top_level(), http(), admin_and_database(), inbox(), actors(), stripe(), rules()}) {
    table.insert(table.end(), part.begin(), part.end());
  }
  return table;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> table = make_table();
  return table;
}

std::string Setting::environment_name() const {
  std::string result = "FLEXSYNC_";
  for (const char c : name) {
    result += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return result;
}

std::string Setting::allowed_text() const {
  Config config;
  const Slot target = slot(config);
  if (std::holds_alternative<bool*>(target)) {
    return "true or false";
  }
  if (std::holds_alternative<std::int64_t*>(target)) {
    return std::to_string(min) + " to " + std::to_string(max);
  }
  if (choices.empty()) {
    return allowed.empty() ? "text" : std::string(allowed);
  }
  std::string text(choices.front());
  for (std::size_t i = 1; i < choices.size(); ++i) {
    text += (i + 1 == choices.size() ? " or " : ", ") + std::string(choices[i]);
  }
  return text;
}

}  // namespace flexsync::app
