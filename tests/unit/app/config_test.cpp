#include "app/config.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "app/config_table.hpp"
#include "app/local_keys.hpp"
#include "support/postgres_fixture.hpp"

namespace fs = std::filesystem;
using flexsync::testing::TemporaryDirectory;
using namespace flexsync::app;

namespace {

const fs::path kSource = FLEXSYNC_SOURCE_DIR;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

struct TomlFile {
  TemporaryDirectory dir;
  fs::path path = dir / "f.toml";

  explicit TomlFile(const std::string& text) { write(path, text); }
  flexsync::Result<Config> load(const EnvironmentVariables& environment = {}) const {
    return load_config(path, environment);
  }
};

// The error of a file with this text, without the temporary path.
std::string fault_of(const std::string& text) {
  const TomlFile file(text);
  const auto loaded = file.load();
  REQUIRE_FALSE(loaded);
  const std::string& message = loaded.error().message;
  CHECK(std::count(message.begin(), message.end(), '\n') == 0);
  const std::string prefix = file.path.string();
  return message.starts_with(prefix) ? "FILE" + message.substr(prefix.size()) : message;
}

std::string fault_of(const EnvironmentVariables& environment) {
  const auto loaded = load_config(std::nullopt, environment);
  REQUIRE_FALSE(loaded);
  return loaded.error().message;
}

// The first line in which two texts differ; empty when they are equal.
std::string first_difference(const std::string& a, const std::string& b) {
  std::istringstream left(a);
  std::istringstream right(b);
  std::string x;
  std::string y;
  for (int line = 1; a != b; ++line) {
    const bool more = static_cast<bool>(std::getline(left, x)) & static_cast<bool>(std::getline(right, y));
    if (!more || x != y) {
      return "line " + std::to_string(line) + ": \"" + x + "\" is not \"" + y + "\"";
    }
  }
  return "";
}

// Rendered files are rewritten by FLEXSYNC_TEST_UPDATE=1, otherwise compared.
void check_rendered(const fs::path& file, const std::string& expected) {
  if (std::getenv("FLEXSYNC_TEST_UPDATE") != nullptr) {
    write(file, expected);
  }
  INFO(file << " differs from the table: run unit_app_tests once with FLEXSYNC_TEST_UPDATE=1");
  CHECK(first_difference(read(file), expected) == "");
}

}  // namespace

TEST_CASE("nothing configured is a valid configuration", "[config]") {
  const auto config = load_config(std::nullopt, {});
  REQUIRE(config);
  CHECK(config->http.address == "127.0.0.1");
  CHECK(config->http.port == 8080);
  CHECK(config->admin.port == 9090);
  CHECK(config->database.embedded());
  CHECK(config->data_dir == "./var");
  CHECK(config->stripe.api_base == "https://api.stripe.com");
  CHECK(config->usage.grace_period_minutes == 5);
  CHECK(config->usage.batch_size_limit == 10'000);
  CHECK(config->admin_key.empty());
}

TEST_CASE("every default is allowed and every name is unique", "[config]") {
  EnvironmentVariables all;
  std::string toml;
  for (const auto& setting : settings()) {
    CHECK(all.count(setting.environment_name()) == 0);
    const auto text = default_text(setting);
    all[setting.environment_name()] = text == "[]" || text == "\"\"" ? "" : text.substr(text[0] == '"' ? 1 : 0);
    if (text[0] == '"' && text != "\"\"") {
      all[setting.environment_name()].pop_back();
    }
    CHECK_FALSE(setting.help.empty());
  }
  const auto loaded = load_config(std::nullopt, all);
  REQUIRE(loaded);
  CHECK(loaded->http.body_size_max == HttpConfig{}.body_size_max);
}

TEST_CASE("config/flexsync.toml and docs/configuration.md are the table", "[config]") {
  check_rendered(kSource / "config/flexsync.toml", render_toml());
  check_rendered(kSource / "docs/configuration.md", render_markdown());
  const auto shipped = load_config(kSource / "config/flexsync.toml", {});
  REQUIRE(shipped);
  CHECK(shipped->inbox.page_bytes_max == InboxConfig{}.page_bytes_max);
}

TEST_CASE("a file sets what it names", "[config]") {
  const TomlFile file(
      "data_dir = \"/srv/x\"\nadmin_key = \"0123456789abcdef\"\n[http]\nport = 0\nallow_plaintext = true\n"
      "address = \"0.0.0.0\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[sync]\ncustomer_deleted = \"archive\"\n");
  const auto config = file.load();
  REQUIRE(config);
  CHECK(config->data_dir == "/srv/x");
  CHECK(config->admin_key.reveal() == "0123456789abcdef");
  CHECK(config->http.port == 0);
  CHECK(config->http.address == "0.0.0.0");
  CHECK(config->http.trusted_proxies == std::vector<std::string>{"10.0.0.0/8", "::1"});
  CHECK(config->sync.customer_deleted == "archive");
  CHECK(config->http.io_threads == 1);
}

TEST_CASE("the environment wins over the file", "[config]") {
  const TomlFile file("[http]\nport = 1\n[stripe]\ntimeout_seconds = 7\n");
  const auto config = file.load({{"FLEXSYNC_HTTP_PORT", "2"},
                                 {"FLEXSYNC_HTTP_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16"},
                                 {"FLEXSYNC_LOG_FORMAT", "json"},
                                 {"FLEXSYNC_HTTP_ALLOW_PLAINTEXT", "true"},
                                 {"STRIPE_API_TIMEOUT_SECONDS", "9"},
                                 {"STRIPE_SYNC_GRACE_PERIOD_MINUTES", "15"},
                                 {"STRIPE_BATCH_SIZE_LIMIT", "500"},
                                 {"STRIPE_WEBHOOK_SECRET", "whsec_x"},
                                 {"STRIPE_SOMETHING_ELSE", "not ours"},
                                 {"FLEXSYNC_ADMIN_PORT", ""}});
  REQUIRE(config);
  CHECK(config->http.port == 2);
  CHECK(config->http.trusted_proxies == std::vector<std::string>{"10.0.0.1", "10.1.0.0/16"});
  CHECK(config->log.format == "json");
  CHECK(config->http.allow_plaintext);
  CHECK(config->stripe.timeout_seconds == 9);
  CHECK(config->usage.grace_period_minutes == 15);
  CHECK(config->usage.batch_size_limit == 500);
  CHECK(config->stripe.webhook_secret.reveal() == "whsec_x");
  CHECK(config->admin.port == 9090);
  const auto both =
      load_config(std::nullopt, {{"STRIPE_API_TIMEOUT_SECONDS", "9"}, {"FLEXSYNC_STRIPE_TIMEOUT_SECONDS", "8"}});
  REQUIRE(both);
  CHECK(both->stripe.timeout_seconds == 8);
}

TEST_CASE("a bad file is one line with the setting, its fault and what is allowed", "[config]") {
  CHECK(fault_of("[http]\nprot = 1") == "FILE:2: http.prot is no setting; did you mean http.port?");
  CHECK(fault_of("[htpt]\nport = 1") == "FILE:2: htpt.port is no setting; did you mean http.port?");
  CHECK(fault_of("[nothing]\n") == "FILE:1: [nothing] is no section; config/flexsync.toml lists them all");
  CHECK(fault_of("zzzzzzzzzzzz = 1") == "FILE:1: zzzzzzzzzzzz is no setting; config/flexsync.toml lists them all");
  CHECK(fault_of("http = 1") == "FILE:1: http is no setting; config/flexsync.toml lists them all");
  CHECK(fault_of("[http]\nport = 99999") == "FILE:2: http.port = 99999 is out of range: allowed is 0 to 65535");
  CHECK(fault_of("[http]\nport = \"80\"") == "FILE:2: http.port must be a whole number: allowed is 0 to 65535");
  CHECK(fault_of("[http]\nport = 80.5") == "FILE:2: http.port must be a whole number: allowed is 0 to 65535");
  CHECK(fault_of("[http]\nallow_plaintext = 1") ==
        "FILE:2: http.allow_plaintext must be true or false without quotes: allowed is true or false");
  CHECK(fault_of("[http]\ntrusted_proxies = \"10.0.0.1\"") ==
        "FILE:2: http.trusted_proxies must be a list of texts: allowed is IP addresses or CIDR ranges");
  CHECK(fault_of("[http]\ntrusted_proxies = [\"10.0.0.1/33\"]") ==
        "FILE:2: http.trusted_proxies = 10.0.0.1/33 is not valid: allowed is IP addresses or CIDR ranges");
  CHECK(fault_of("[sync]\ncustomer_deleted = \"drop\"") ==
        "FILE:2: sync.customer_deleted = drop is not valid: allowed is log, archive or delete");
  CHECK(fault_of("[stripe]\napi_base = \"api.stripe.com\"").find("an http:// or https:// URL") != std::string::npos);
  CHECK(fault_of("[stripe]\napi_version = \"latest\"").find("2026-10-28.endive") != std::string::npos);
  CHECK(fault_of("[http\nport = 1").starts_with("FILE:1: this is not TOML: "));
  CHECK(fault_of("[http]\nport = 1\nport = 2").find("this is not TOML") != std::string::npos);
  CHECK(load_config("/nowhere/f.toml", {}).error().message.find("/nowhere/f.toml cannot be read") != std::string::npos);
  CHECK_FALSE(load_config("/tmp", {}));
}

TEST_CASE("a bad environment is refused by the variable's name", "[config]") {
  using Environment = EnvironmentVariables;
  CHECK(fault_of(Environment{{"FLEXSYNC_HTTP_PROT", "1"}}) ==
        "FLEXSYNC_HTTP_PROT is no setting; did you mean FLEXSYNC_HTTP_PORT?");
  CHECK(fault_of(Environment{{"FLEXSYNC_PORT", "1"}}).starts_with("FLEXSYNC_PORT is no setting; did you mean "));
  CHECK(fault_of(Environment{{"FLEXSYNC_HTTP_PORT", "80x"}}) ==
        "FLEXSYNC_HTTP_PORT=80x is not a whole number: allowed is 0 to 65535");
  CHECK(fault_of(Environment{{"FLEXSYNC_HTTP_PORT", "-1"}}) ==
        "FLEXSYNC_HTTP_PORT=-1 is out of range: allowed is 0 to 65535");
  CHECK(fault_of(Environment{{"STRIPE_BATCH_SIZE_LIMIT", "0"}}) ==
        "STRIPE_BATCH_SIZE_LIMIT=0 is out of range: allowed is 1 to 1000000");
  CHECK(fault_of(Environment{{"FLEXSYNC_HTTP_ALLOW_PLAINTEXT", "yes"}}) ==
        "FLEXSYNC_HTTP_ALLOW_PLAINTEXT=yes is not valid: allowed is true or false");
  CHECK(load_config(std::nullopt,
                    {{"FLEXSYNC_FAILPOINT_PLAN", "x"}, {"FLEXSYNC_BUILD_DIR", "/b"}, {"FLEXSYNC_TEST_ANYTHING", "1"}}));
}

TEST_CASE("rules between settings", "[config]") {
  CHECK(fault_of("[http]\naddress = \"0.0.0.0\"").find("set http.allow_plaintext = true") != std::string::npos);
  CHECK(fault_of("[admin]\nport = 8080").find("admin.port = 8080 is http.port, too") != std::string::npos);
  CHECK(fault_of("[usage]\nwindow_minutes = 25").find("does not divide an hour") != std::string::npos);
  CHECK(fault_of("[inbox]\nretry_base_ms = 10\nretry_cap_ms = 5").find("is above inbox.retry_cap_ms = 5") !=
        std::string::npos);
  CHECK(fault_of("[actors]\nrestart_base_ms = 10\nrestart_cap_ms = 5").find("above actors.restart_cap_ms") !=
        std::string::npos);
}

TEST_CASE("secrets come from files, too, and are never shown", "[config]") {
  const TemporaryDirectory dir;
  write(dir / "key", "0123456789abcdef\n");
  const auto from_file = load_config(std::nullopt, {{"FLEXSYNC_ADMIN_KEY_FILE", (dir / "key").string()},
                                                    {"STRIPE_WEBHOOK_SECRET_FILE", (dir / "key").string()}});
  REQUIRE(from_file);
  CHECK(from_file->admin_key.reveal() == "0123456789abcdef");
  CHECK(from_file->stripe.webhook_secret.reveal() == "0123456789abcdef");
  const TomlFile toml("admin_key_file = \"" + (dir / "key").string() + "\"");
  REQUIRE(toml.load());
  CHECK(toml.load()->admin_key.reveal() == "0123456789abcdef");

  using Environment = EnvironmentVariables;
  CHECK(fault_of(Environment{{"FLEXSYNC_ADMIN_KEY", "hunter2"}}) ==
        "FLEXSYNC_ADMIN_KEY is not valid: allowed is at least 16 characters");
  CHECK(fault_of("admin_key = \"hunter2\"").find("hunter2") == std::string::npos);
  CHECK(fault_of(Environment{{"FLEXSYNC_DATABASE_URL", "hunter2"}}).find("hunter2") == std::string::npos);
  CHECK(fault_of(Environment{{"FLEXSYNC_ADMIN_KEY_FILE", "/nowhere"}}) ==
        "FLEXSYNC_ADMIN_KEY_FILE: the file /nowhere cannot be read: give the path of a readable file with the secret");
  write(dir / "empty", "\n");
  CHECK(fault_of(Environment{{"FLEXSYNC_ADMIN_KEY_FILE", (dir / "empty").string()}}).find("is empty") !=
        std::string::npos);
  CHECK(fault_of(Environment{{"FLEXSYNC_ADMIN_KEY", "0123456789abcdef"},
                             {"FLEXSYNC_ADMIN_KEY_FILE", (dir / "key").string()}})
            .find("are both set: keep one") != std::string::npos);
}

TEST_CASE("keys are generated once, privately, and their place is said", "[local_keys]") {
  const TemporaryDirectory dir;
  Config config;
  config.data_dir = (dir / "var").string();
  std::vector<std::string> said;
  const auto announce = [&](const std::string& text) { said.push_back(text); };

  const auto first = local_keys(config, announce);
  REQUIRE(first);
  REQUIRE(said.size() == 2);
  for (const auto* name : {"master.key", "admin.key"}) {
    const fs::path file = dir.path() / "var" / name;
    CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    const auto value = read(file);
    CHECK(std::none_of(said.begin(), said.end(), [&](const auto& line) {
      return line.find(value.substr(0, value.size() - 1)) != std::string::npos;
    }));
  }

  const auto second = local_keys(config, announce);
  REQUIRE(second);
  CHECK(said.size() == 2);
  CHECK(second->admin_key.reveal() == first->admin_key.reveal());
  CHECK(second->master_keys.current().bytes.reveal() == first->master_keys.current().bytes.reveal());
}

TEST_CASE("configured keys win, bad ones are refused", "[local_keys]") {
  const TemporaryDirectory dir;
  Config config;
  config.data_dir = (dir / "var").string();
  config.admin_key = flexsync::Secret("0123456789abcdef");
  config.master_key = flexsync::store::new_master_key("mine");
  const auto keys = local_keys(config, [](const std::string&) { FAIL("nothing is generated"); });
  REQUIRE(keys);
  CHECK(keys->master_keys.current().id == "mine");
  CHECK_FALSE(fs::exists(dir / "var"));

  config.master_key = flexsync::Secret("nonsense");
  CHECK(local_keys(config, [](const std::string&) {}).error().message.find("nonsense") == std::string::npos);

  config.master_key = {};
  fs::create_directories(dir / "var");
  write(dir.path() / "var/master.key", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
  fs::permissions(dir.path() / "var/master.key", fs::perms::others_read, fs::perm_options::add);
  CHECK(local_keys(config, [](const std::string&) {}).error().message.find("chmod 600") != std::string::npos);
}
