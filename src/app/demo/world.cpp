#include "app/demo/world.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/demo/patience.hpp"
#include "store/key_hash.hpp"

namespace flexsync::app::demo {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kStopDeadline{5'000};
constexpr const char* kStripeKey = "sk_test_flexsyncdemo";

std::string local(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

fs::path make_directory() {
  std::string pattern = "/tmp/flexsync-demo-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    throw Failure("cannot make a directory below /tmp");
  }
  // mkdtemp's 0700 would keep the user PostgreSQL runs as out.
  fs::permissions(pattern, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
  return pattern;
}

Json first_or_null(Json page) {
  auto& items = page["items"];
  return items.empty() ? Json() : items.front();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() : path_(make_directory()) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

World::World() : simulator_(directory_.path() / "stripe-sim.log") {
  const auto admin_key = store::new_random_key("admin_fs_");
  Config config;
  config.data_dir = directory_.path();
  config.admin_key = admin_key;
  config.http.port = 0;
  config.admin.port = 0;
  config.stripe.api_base = local(simulator_.port());
  config.usage.grace_period_minutes = 0;
  config.usage.close_interval_ms = 200;
  config.usage.match_interval_ms = 200;
  auto started = Runtime::start(config, [](const std::string&) {});
  if (!started) {
    throw Failure(started.error().message);
  }
  server_ = std::move(*started);
  stripe_ = std::make_unique<HttpClient>(local(simulator_.port()), kStripeKey);
  control_ = std::make_unique<HttpClient>(local(simulator_.port()), "");
  admin_ = std::make_unique<HttpClient>(local(server_->admin_port()), "");
  provision(std::string(admin_key.reveal()));
  const auto now = control_->get("/_sim/clock").at("now").get<std::int64_t>();
  control_->post("/_sim/clock", {{"freeze_at", now}});
}

World::~World() {
  if (server_) {
    server_->stop(kStopDeadline);
  }
}

void World::provision(const std::string& admin_key) {
  HttpClient admin(local(server_->port()), admin_key);
  tenant_.tenant = admin.post("/v1/tenants", {{"name", "Acme"}}).at("id").get<std::string>();
  const Json environment{{"tenant_id", tenant_.tenant}, {"name", "Sandbox"}, {"type", "development"}};
  tenant_.environment = admin.post("/v1/environments", environment).at("id").get<std::string>();
  const Json key{{"tenant_id", tenant_.tenant}, {"environment_id", tenant_.environment}, {"name", "demo"}};
  tenant_.api_key = admin.post("/v1/secrets/api/keys", key).at("api_key").get<std::string>();
  api_ = std::make_unique<HttpClient>(local(server_->port()), tenant_.api_key);

  const auto endpoint = stripe_->post_form("/v1/webhook_endpoints",
                                           {{"url", api_->base_url() + webhook_path()}, {"enabled_events[]", "*"}});
  tenant_.endpoint = endpoint.at("id").get<std::string>();
  api_->post("/v1/connections",
             {{"name", "Stripe (simulated)"},
              {"provider_type", "stripe"},
              {"sync_config", {{"customer", {{"inbound", true}, {"outbound", true}}}}},
              {"encrypted_secret_data", {{"secret_key", kStripeKey}, {"webhook_secret", endpoint.at("secret")}}}});
}

std::string World::webhook_path() const {
  return "/v1/webhooks/stripe/" + tenant_.tenant + "/" + tenant_.environment;
}

// --- Stripe -----------------------------------------------------------------------------------------------------

Json World::create_customer(const Form& fields) {
  return stripe_->post_form("/v1/customers", fields);
}

Json World::update_customer(const std::string& id, const Form& fields) {
  return stripe_->post_form("/v1/customers/" + id, fields);
}

void World::delete_customer(const std::string& id) {
  stripe_->remove("/v1/customers/" + id);
}

std::vector<Json> World::customers_in_stripe() {
  auto all = stripe_->get("/v1/customers?limit=100").at("data").get<std::vector<Json>>();
  std::reverse(all.begin(), all.end());  // Stripe lists the newest first
  return all;
}

std::string World::last_event(const std::string& object) {
  const auto newest_first = stripe_->get("/v1/events?limit=100");
  for (const auto& event : newest_first.at("data")) {
    if (event.at("data").at("object").value("id", "") == object) {
      return event.at("id").get<std::string>();
    }
  }
  throw Failure("Stripe has no event of " + object);
}

void World::advance_clock(int seconds) {
  control_->post("/_sim/clock", {{"advance_seconds", seconds}});
}

void World::next_deliveries(const Json& faults) {
  control_->post("/_sim/webhooks/faults", {{"next", faults}});
}

void World::release_held(const std::string& order) {
  control_->post("/_sim/webhooks/release", {{"order", order}});
}

void World::resend(const std::string& event) {
  control_->post("/_sim/events/" + event + "/resend", Json::object());
}

std::vector<Json> World::attempts(const std::string& event) {
  return control_->get("/_sim/webhooks/deliveries?event=" + event).at("data").get<std::vector<Json>>();
}

// --- Flexsync ---------------------------------------------------------------------------------------------------

Json World::customer(const std::string& stripe_id) {
  for (auto& customer : customers()) {
    if (customer.at("metadata").value("stripe_customer_id", "") == stripe_id) {
      return std::move(customer);
    }
  }
  return {};
}

Json World::mapping(const std::string& stripe_id) {
  return first_or_null(
      api_->get("/v1/entity-integration-mappings?provider_type=stripe&provider_entity_id=" + stripe_id));
}

Json World::event(const std::string& id) {
  const auto reply = api_->raw("GET", "/v1/webhook-events/" + id, {}, {"x-api-key: " + tenant_.api_key});
  return reply.status == 404 ? Json() : Json::parse(reply.body);
}

std::vector<Json> World::customers() {
  return api_->get("/v1/customers?limit=1000&order=asc").at("items").get<std::vector<Json>>();
}

std::map<std::string, int> World::event_states() {
  std::map<std::string, int> states;
  const auto page = api_->get("/v1/webhook-events?limit=1000");
  for (const auto& event : page.at("items")) {
    ++states[event.at("state").get<std::string>()];
  }
  return states;
}

double World::metric(const std::string& name_and_labels) {
  const auto text = "\n" + admin_->get_text("/metrics");
  const auto found = text.find("\n" + name_and_labels + " ");
  if (found == std::string::npos) {
    return 0;
  }
  const auto start = found + name_and_labels.size() + 2;
  double value = 0;
  std::from_chars(text.data() + start, text.data() + text.size(), value);
  return value;
}

Json World::create_customer_here(const Json& fields) {
  return api_->post("/v1/customers?wait=true", fields);
}

Json World::update_customer_here(const std::string& id, const Json& fields, bool wait) {
  const auto reply = api_->raw("PUT", "/v1/customers/" + id + (wait ? "?wait=true" : ""), fields.dump(),
                               {"x-api-key: " + tenant_.api_key, "Content-Type: application/json"});
  if (reply.status != 200) {
    throw Failure("PUT /v1/customers/" + id + " was answered " + std::to_string(reply.status) + ": " + reply.body);
  }
  return Json::parse(reply.body);
}

std::vector<Json> World::outbox(const std::string& state) {
  return api_->get("/v1/outbox?state=" + state).at("items").get<std::vector<Json>>();
}

std::vector<Json> World::batches(const std::string& status) {
  return api_->get("/v1/stripe/sync/batches?order=asc&status=" + status).at("items").get<std::vector<Json>>();
}

void World::stripe_outage(bool down) {
  control_->post("/_sim/api/faults", {{"outage", down ? Json("reset") : Json(nullptr)}});
}

std::pair<std::string, int> World::audit() {
  const auto program = fs::read_symlink("/proc/self/exe").string();
  const auto command = "FLEXSYNC_DATA_DIR='" + directory_.path().string() + "' FLEXSYNC_STRIPE_API_BASE='" +
                       stripe_->base_url() + "' STRIPE_SYNC_GRACE_PERIOD_MINUTES=0 '" + program +
                       "' usage audit --tenant " + tenant_.tenant + " --environment " + tenant_.environment +
                       " 2> /dev/null";
  auto* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    throw Failure("flexsync usage audit could not be started");
  }
  std::string text;
  std::array<char, 4096> buffer{};
  while (const auto read = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), read);
  }
  const auto status = pclose(pipe);
  return {text, WIFEXITED(status) ? WEXITSTATUS(status) : kFailed};
}

void World::settle() {
  control_->get("/_sim/webhooks/idle?timeout_ms=15000");
  wait_until("Flexsync to settle every webhook",
             [&] { return api_->get("/v1/webhook-events?state=pending").at("pagination").at("total") == 0; });
}

void World::settle(const std::vector<std::string>& events) {
  for (const auto& id : events) {
    wait_until("Flexsync to settle " + id, [&] {
      const auto known = event(id);
      return !known.is_null() && known.at("state") != "pending";
    });
  }
}

}  // namespace flexsync::app::demo
