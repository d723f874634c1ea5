// The real program, run as a person or a script runs it: exit codes, one line on standard error, JSON that parses.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/demo/http_client.hpp"
#include "app/demo/patience.hpp"
#include "domain/clock.hpp"
#include "store/child_process.hpp"
#include "stripe/signature.hpp"
#include "support/postgres_fixture.hpp"

using namespace flexsync;
using flexsync::app::demo::HttpClient;
using flexsync::app::demo::wait_until;
using flexsync::testing::TemporaryDirectory;
using Json = nlohmann::json;

namespace {

const std::string kProgram = std::string(FLEXSYNC_BINARY_DIR) + "/flexsync";
constexpr const char* kSecretKey = "sk_test_verysecretkey";
constexpr const char* kWebhookSecret = "whsec_verysecretsigning";

std::string read_all(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;

  Json json() const { return Json::parse(out); }
  // A message for people: one line, with the program's name before it.
  bool is_one_error_line() const {
    return out.empty() && err.starts_with("flexsync: ") && err.find('\n') == err.size() - 1;
  }
};

// The program over a data directory of its own.
struct Program {
  TemporaryDirectory directory;
  std::map<std::string, std::string> environment;

  Outcome operator()(const std::string& arguments, const std::string& input = "") const {
    const auto in = directory / "in";
    std::ofstream(in) << input;
    std::string command = "env -u STRIPE_SECRET_KEY -u STRIPE_WEBHOOK_SECRETS";
    command += " FLEXSYNC_DATA_DIR=" + (directory / "data").string();
    for (const auto& [name, value] : environment) {
      command += " " + name + "='" + value + "'";
    }
    command += " " + kProgram + " " + arguments;
    command += " <" + in.string() + " >" + (directory / "out").string() + " 2>" + (directory / "err").string();
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(directory / "out"), read_all(directory / "err")};
  }

  // A tenant's environment, as the options that name it.
  std::string new_scope() const {
    const auto made = (*this)("tenant create Acme --environment Sandbox --type development --json");
    REQUIRE(made.code == 0);
    return " --tenant " + made.json().at("id").get<std::string>() + " --environment " +
           made.json().at("environment").at("id").get<std::string>();
  }
};

// `flexsync serve` beside the commands, on ports of its own.
struct Server {
  explicit Server(const Program& program) : log(program.directory / "serve.log") {
    const auto file = program.directory / "flexsync.toml";
    std::ofstream(file) << "data_dir = \"" << (program.directory / "data").string()
                        << "\"\nhttp.port = 0\nadmin.port = 0\n";
    auto started = store::start_child({.command = {kProgram, "serve", "--config", file.string()}, .log = log});
    REQUIRE(started);
    pid = *started;
    wait_until("the server to listen", [&] { return store::is_alive(pid) && port() != 0; });
  }
  ~Server() {
    kill(pid, SIGTERM);
    store::wait_for_end(pid, std::chrono::seconds(20));
  }

  int port() const {
    std::istringstream lines(read_all(log));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(R"({"event":"listening")")) {
        return Json::parse(line).at("port").get<int>();
      }
    }
    return 0;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

  std::filesystem::path log;
  pid_t pid = 0;
};

std::string option(const std::string& options, const std::string& name) {
  const auto start = options.find(name) + name.size() + 1;
  return options.substr(start, options.find(' ', start) - start);
}

// A signed customer.created, as Stripe sends it.
int deliver(HttpClient& http, const std::string& scope, const std::string& event, const std::string& customer,
            const Json& metadata) {
  const auto now = SystemClock().now();
  const Json body{
      {"id", event},
      {"object", "event"},
      {"type", "customer.created"},
      {"api_version", "2026-10-28.endive"},
      {"created", to_unix_seconds(now)},
      {"livemode", false},
      {"data", {{"object", {{"id", customer}, {"object", "customer"}, {"name", "Ada"}, {"metadata", metadata}}}}}};
  const auto text = body.dump();
  const auto header = stripe::sign(text, Secret(kWebhookSecret), now);
  return http
      .raw("POST", "/v1/webhooks/stripe/" + option(scope, "--tenant") + "/" + option(scope, "--environment"), text,
           {"Content-Type: application/json", "Stripe-Signature: " + header})
      .status;
}

}  // namespace

TEST_CASE("wrong usage is one line and exit code 2", "[command_line]") {
  const Program program;
  for (const std::string arguments :
       {"", "frobnicate", "tenant", "tenant create", "tenant create X --type staging", "events list", "serve --nope",
        "apikey list --tenant t --environment e --limit 0", "demo --twice", "serve --config /does/not/exist"}) {
    INFO(arguments);
    const auto outcome = program(arguments);
    CHECK(outcome.code == 2);
    CHECK(outcome.is_one_error_line());
  }
  CHECK(program("frobnicate").err.find("frobnicate") != std::string::npos);
}

TEST_CASE("version and help are no errors", "[command_line]") {
  const Program program;
  CHECK(program("version").out.starts_with("flexsync "));
  CHECK(program("version --json").json().at("schema_version").get<int>() > 0);
  const auto help = program("--help");
  CHECK(help.code == 0);
  CHECK(help.out.find("dead-letters") != std::string::npos);
}

TEST_CASE("a command in the wrong directory makes no empty database", "[command_line]") {
  const Program program;
  const auto outcome = program("events list --tenant t --environment e");
  CHECK(outcome.code == 1);
  CHECK(outcome.is_one_error_line());
  CHECK(outcome.err.find((program.directory / "data").string()) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(program.directory / "data"));
}

TEST_CASE("provisioning without a server: migrate, tenant, keys, connection", "[command_line]") {
  Program program;
  CHECK(program("db migrate").code == 0);
  CHECK(program("db migrate --json").json().at("message").get<std::string>().find("up to date") != std::string::npos);
  const auto scope = program.new_scope();
  CHECK(program("tenant create ''").code == 2);

  const auto issued = program("apikey create --name ci" + scope);
  CHECK(issued.code == 0);
  CHECK(issued.out.starts_with("sk_fs_"));
  const auto keys = program("apikey list --json" + scope);
  const auto id = keys.json().at("items").at(0).at("id").get<std::string>();
  CHECK(keys.out.find(issued.out.substr(0, issued.out.size() - 1)) == std::string::npos);
  CHECK(program("apikey revoke " + id + scope).code == 0);
  CHECK(program("apikey revoke " + id + scope).code == 1);
  CHECK(program("apikey list --json" + scope).json().at("pagination").at("total") == 0);
  CHECK(program("apikey create --name x --expires tomorrow" + scope).code == 2);
  CHECK(program("apikey create --name x --tenant t --environment e").code == 1);

  CHECK(program("connection set --name Main" + scope).code == 2);  // no secret given
  program.environment = {{"STRIPE_SECRET_KEY", kSecretKey}, {"STRIPE_WEBHOOK_SECRETS", kWebhookSecret}};
  const auto set = program("connection set --name Main --default" + scope);
  CHECK(set.code == 0);
  program.environment.clear();
  const auto listed = program("connection list --json" + scope);
  CHECK(listed.json().at("items").at(0).at("metadata").at("default") == "true");
  const auto renamed =
      program("connection set --name Other --json --secrets-from -" + scope, R"({"account_id": "acct_1"})");
  CHECK(renamed.json().at("name") == "Other");
  CHECK(renamed.json().at("account_id") == "acct_1");
  const auto misplaced =
      program("connection set --name Main --secrets-from -" + scope, R"({"secret_key": "whsec_misplaced_secret"})");
  CHECK(misplaced.code == 2);
  CHECK(misplaced.is_one_error_line());
  CHECK(program("connection set --name Main --secrets-from -" + scope, "[1]").code == 2);
  CHECK(program("connection set --name Main --secrets-from /nope" + scope).code == 2);
  program.environment = {{"FLEXSYNC_STRIPE_API_BASE", "http://127.0.0.1:1"}};
  const auto unreachable = program("connection test" + scope);
  CHECK(unreachable.code == 1);
  CHECK(unreachable.is_one_error_line());

  for (const auto& outcome : {set, listed, renamed, misplaced, unreachable}) {
    for (const std::string secret : {kSecretKey, kWebhookSecret, "whsec_misplaced_secret"}) {
      CHECK((outcome.out + outcome.err).find(secret) == std::string::npos);
    }
  }
}

TEST_CASE("beside a running server: events, and dead letters redriven and discarded", "[command_line]") {
  Program program;
  const auto scope = program.new_scope();
  program.environment = {{"STRIPE_SECRET_KEY", kSecretKey}, {"STRIPE_WEBHOOK_SECRETS", kWebhookSecret}};
  REQUIRE(program("connection set --name Main" + scope).code == 0);
  const Server server(program);
  HttpClient http(server.url(), "");
  REQUIRE(deliver(http, scope, "evt_1", "cus_1", Json::object()) == 200);
  const auto state = [&](const std::string& event) {
    return program("events show " + event + " --json" + scope).json().at("state").get<std::string>();
  };
  wait_until("evt_1 to be applied", [&] { return state("evt_1") == "applied"; });
  const auto shown = program("events show evt_1 --json" + scope).json();
  CHECK(shown.at("payload").at("id") == "evt_1");
  const auto ours = shown.at("changes").at(0).at("entity_id").get<std::string>();
  CHECK(program("events show evt_1" + scope).out.find("applied") != std::string::npos);
  CHECK(program("events show evt_9" + scope).code == 1);
  CHECK(program("events list --state nonsense" + scope).code == 2);
  CHECK(program("events list --received-from yesterday" + scope).code == 2);
  const auto& change = shown.at("changes").at(0);
  CHECK(change.at("fields").dump().find(R"({"after":"Ada","before":null,"field":"name"})") != std::string::npos);
  CHECK(program("events show evt_1" + scope).out.find("  name") != std::string::npos);

  // Two Stripe customers that claim ours, which is mapped already: a conflict, for a person.
  REQUIRE(deliver(http, scope, "evt_2", "cus_2", {{"flexprice_customer_id", ours}}) == 200);
  REQUIRE(deliver(http, scope, "evt_3", "cus_3", {{"flexprice_customer_id", ours}}) == 200);
  wait_until("two dead letters",
             [&] { return program("dead-letters list --json" + scope).json().at("pagination").at("total") == 2; });
  CHECK(program("dead-letters list --object cus_3" + scope).out.find("conflict") != std::string::npos);
  const auto refused = program("dead-letters redrive" + scope);
  CHECK(refused.code == 2);
  CHECK(refused.is_one_error_line());
  CHECK(refused.err.find("2 dead letters match") != std::string::npos);
  CHECK(refused.err.find("--expect 2") != std::string::npos);
  CHECK(program("dead-letters redrive evt_9" + scope).code == 1);
  const auto others = program("dead-letters discard --expect 3" + scope);
  CHECK(others.code == 1);
  CHECK(others.err == "flexsync: 2 dead letters match, not 3: nothing was changed\n");
  const auto redriven = program("dead-letters redrive --yes" + scope);
  CHECK(redriven.code == 0);
  CHECK(redriven.out.find("2 dead letters redriven; a running server takes them up within") == 0);
  wait_until("both to be dead again", [&] { return state("evt_2") == "dead" && state("evt_3") == "dead"; });
  CHECK(program("events show evt_2 --json" + scope).json().at("attempts").size() == 2);
  CHECK(program("dead-letters discard evt_2 --json" + scope).json().at("count") == 1);
  CHECK(state("evt_2") == "discarded");
  CHECK(program("dead-letters discard --error conflict --expect 1" + scope).code == 0);
  CHECK(program("dead-letters discard --yes" + scope).out == "0 dead letters discarded\n");
}

TEST_CASE("beside a running server: an event that is replayed is taken again and changes nothing", "[command_line]") {
  Program program;
  const auto scope = program.new_scope();
  program.environment = {{"STRIPE_SECRET_KEY", kSecretKey}, {"STRIPE_WEBHOOK_SECRETS", kWebhookSecret}};
  REQUIRE(program("connection set --name Main" + scope).code == 0);
  const Server server(program);
  HttpClient http(server.url(), "");
  REQUIRE(deliver(http, scope, "evt_1", "cus_1", Json::object()) == 200);
  const auto event = [&] { return program("events show evt_1 --json" + scope).json(); };
  wait_until("evt_1 to be applied", [&] { return event().at("state") == "applied"; });
  const auto before = event();

  const auto refused = program("events replay --state applied" + scope);
  CHECK(refused.code == 2);
  CHECK(refused.err.find("1 settled event matches") != std::string::npos);
  CHECK(event().at("state") == "applied");
  CHECK(program("events replay evt_9" + scope).code == 1);
  const auto replayed = program("events replay --state applied --type customer.created --expect 1" + scope);
  CHECK(replayed.code == 0);
  CHECK(replayed.out.starts_with("1 settled event to be taken again; a running server takes them up within"));
  wait_until("evt_1 to be taken again", [&] { return event().at("state") == "unchanged"; });
  const auto after = event();
  CHECK_FALSE(before.at("changes").empty());
  CHECK(after.at("changes") == before.at("changes"));
  CHECK(after.at("actions").at(0).at("action") == "replay");
  CHECK(program("events replay --state dead --yes" + scope).code == 2);
}
