#include "app/config.hpp"

#include <unistd.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string_view>

#include "app/config_table.hpp"
#include "app/config_value.hpp"

namespace flexsync::app {

namespace {

constexpr std::size_t kSecretFileSizeMax = 65'536;

// Ours by name, but no settings of the server.
constexpr std::array<std::string_view, 2> kForeignVariables = {"FLEXSYNC_FAILPOINT_PLAN", "FLEXSYNC_BUILD_DIR"};
constexpr std::string_view kTestPrefix = "FLEXSYNC_TEST_";

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::validation_error, std::move(message));
}

// A secret's file: its text without the line's end.
Result<std::string> read_secret_file(const std::string& path, const std::string& shown) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kSecretFileSizeMax + 1, '\0');
  if (!in || std::filesystem::is_directory(path)) {
    return bad(shown + ": the file " + path + " cannot be read: give the path of a readable file with the secret");
  }
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kSecretFileSizeMax) {
    return bad(shown + ": the file " + path + " is larger than 64 KiB, which no secret is");
  }
  text = trimmed(text);
  if (text.empty()) {
    return bad(shown + ": the file " + path + " is empty: it must hold the secret");
  }
  return text;
}

Result<void> set_from_file_of(const Setting& setting, const std::string& path, const Origin& origin, Config& config) {
  auto text = read_secret_file(path, origin.place + origin.name);
  if (!text) {
    return tl::unexpected(text.error());
  }
  return set_from_text(setting, *text, origin, config);
}

std::vector<std::string> file_names() {
  std::vector<std::string> names;
  for (const auto& setting : settings()) {
    names.emplace_back(setting.name);
    if (setting.secret) {
      names.push_back(std::string(setting.name) + "_file");
    }
  }
  return names;
}

Result<void> apply_toml_value(const std::string& name, const toml::node& node, const std::string& place,
                              Config& config) {
  const Origin origin{place, name, true};
  for (const auto& setting : settings()) {
    if (setting.name == name) {
      return set_from_toml(setting, node, origin, config);
    }
    if (setting.secret && name == std::string(setting.name) + "_file") {
      const auto path = node.value_exact<std::string>();
      if (!path || path->empty()) {
        return bad(place + name + " must be the path of a file, in quotes");
      }
      return set_from_file_of(setting, *path, origin, config);
    }
  }
  const auto near = nearest(name, file_names());
  return bad(place + name + " is no setting" +
             (near.empty() ? std::string("; config/flexsync.toml lists them all") : "; did you mean " + near + "?"));
}

Result<void> apply_toml(const toml::table& table, const std::string& prefix, const std::string& file, Config& config) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const std::string place = file + ":" + std::to_string(key.source().begin.line) + ": ";
    const bool is_section = prefix.empty() && node.is_table();
    auto applied = is_section ? apply_toml(*node.as_table(), name + ".", file, config)
                              : apply_toml_value(name, node, place, config);
    if (!applied) {
      return applied;
    }
    if (is_section && node.as_table()->empty()) {
      const auto known = file_names();
      if (std::none_of(known.begin(), known.end(), [&](const auto& k) { return k.starts_with(name + "."); })) {
        return bad(place + "[" + name + "] is no section; config/flexsync.toml lists them all");
      }
    }
  }
  return {};
}

Result<void> apply_file(const std::filesystem::path& path, Config& config) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path)) {
    return bad("the configuration file " + path.string() + " cannot be read: give --config the path of a TOML file");
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  try {
    return apply_toml(toml::parse(text), "", path.string(), config);
  } catch (const toml::parse_error& fault) {
    return bad(path.string() + ":" + std::to_string(fault.source().begin.line) +
               ": this is not TOML: " + std::string(fault.description()));
  }
}

// The variable that sets this setting, the ones that name a file last; two at once are a contradiction.
Result<std::optional<std::string>> variable_for(const Setting& setting, const EnvironmentVariables& environment) {
  std::vector<std::string> names = {setting.environment_name()};
  if (!setting.alias.empty()) {
    names.emplace_back(setting.alias);
  }
  std::optional<std::string> found;
  for (const auto& name : names) {
    for (const auto& candidate : {name, name + "_FILE"}) {
      const auto at = environment.find(candidate);
      if ((candidate != name && !setting.secret) || at == environment.end() || at->second.empty()) {
        continue;
      }
      if (found && candidate == name + "_FILE" && *found == name) {
        return bad(name + " and " + candidate + " are both set: keep one of them");
      }
      found = found ? found : candidate;
    }
  }
  return found;
}

Result<void> apply_environment(const EnvironmentVariables& environment, Config& config) {
  for (const auto& setting : settings()) {
    auto variable = variable_for(setting, environment);
    if (!variable) {
      return tl::unexpected(variable.error());
    }
    if (!*variable) {
      continue;
    }
    const std::string& name = **variable;
    const Origin origin{"", name, false};
    const auto& value = environment.at(name);
    auto applied = setting.secret && name.ends_with("_FILE") ? set_from_file_of(setting, value, origin, config)
                                                             : set_from_text(setting, value, origin, config);
    if (!applied) {
      return applied;
    }
  }
  return {};
}

Result<void> refuse_unknown_variables(const EnvironmentVariables& environment) {
  std::vector<std::string> known(kForeignVariables.begin(), kForeignVariables.end());
  for (const auto& setting : settings()) {
    known.push_back(setting.environment_name());
    if (setting.secret) {
      known.push_back(setting.environment_name() + "_FILE");
    }
  }
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("FLEXSYNC_") || name.starts_with(kTestPrefix) ||
        std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    const auto near = nearest(name, known);
    return bad(name + " is no setting" +
               (near.empty() ? std::string("; docs/configuration.md lists them all") : "; did you mean " + near + "?"));
  }
  return {};
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// Rules between settings.
Result<void> check_together(const Config& config) {
  if (!is_loopback(config.http.address) && !config.http.allow_plaintext) {
    return bad("http.address = " + config.http.address +
               " would serve plain HTTP beyond this machine: use 127.0.0.1, "
               "or set http.allow_plaintext = true when a proxy in front terminates TLS");
  }
  if (config.http.port != 0 && config.http.port == config.admin.port && config.http.address == config.admin.address) {
    return bad("admin.port = " + std::to_string(config.admin.port) + " is http.port, too: give each its own");
  }
  if (config.inbox.retry_base_ms > config.inbox.retry_cap_ms) {
    return bad("inbox.retry_base_ms = " + std::to_string(config.inbox.retry_base_ms) +
               " is above inbox.retry_cap_ms = " + std::to_string(config.inbox.retry_cap_ms) + ": lower it");
  }
  if (config.actors.restart_base_ms > config.actors.restart_cap_ms) {
    return bad("actors.restart_base_ms = " + std::to_string(config.actors.restart_base_ms) +
               " is above actors.restart_cap_ms = " + std::to_string(config.actors.restart_cap_ms) + ": lower it");
  }
  if (60 % config.usage.window_minutes != 0) {
    return bad("usage.window_minutes = " + std::to_string(config.usage.window_minutes) +
               " does not divide an hour: use 5, 6, 10, 12, 15, 20, 30 or 60");
  }
  return {};
}

}  // namespace

EnvironmentVariables process_environment() {
  EnvironmentVariables result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos && (text.starts_with("FLEXSYNC_") || text.starts_with("STRIPE_"))) {
      result.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return result;
}

Result<Config> load_config(const std::optional<std::filesystem::path>& file, const EnvironmentVariables& environment) {
  Config config;
  Result<void> step = file ? apply_file(*file, config) : Result<void>{};
  step = step.and_then([&] { return refuse_unknown_variables(environment); });
  step = step.and_then([&] { return apply_environment(environment, config); });
  step = step.and_then([&] { return check_together(config); });
  if (!step) {
    return tl::unexpected(step.error());
  }
  return config;
}

}  // namespace flexsync::app
