// config/flexsync.toml and docs/configuration.md as the table has them, and the nearest known name for a misspelt one.
#include <algorithm>
#include <numeric>

#include "app/config_table.hpp"

namespace flexsync::app {

namespace {

constexpr std::size_t kHelpColumns = 110;

constexpr std::string_view kTomlHead =
    "# Every setting of Flexsync with its default. A key left out keeps it; an unknown one is an error.\n"
    "# Each can be set by the environment as well, which wins: http.port by FLEXSYNC_HTTP_PORT. Every secret may\n"
    "# also stand in a file of its own: admin_key_file here, FLEXSYNC_ADMIN_KEY_FILE there.\n"
    "# This file is checked against src/app/config_table.cpp by tests/unit/app/config_test.cpp.\n";

constexpr std::string_view kMarkdownHead =
    "# Configuration\n\n"
    "With no configuration at all `flexsync serve` runs. `flexsync serve --config FILE` reads a TOML file;\n"
    "[config/flexsync.toml](../config/flexsync.toml) has every setting with its default. An environment variable\n"
    "overrides the file: `FLEXSYNC_<SECTION>_<KEY>`, for a key without a section `FLEXSYNC_<KEY>`; an empty one "
    "counts\n"
    "as not set. Lists are separated by commas there. Every secret can come from a file: `FLEXSYNC_ADMIN_KEY_FILE`, "
    "or\n"
    "`admin_key_file` in TOML.\n\n"
    "A wrong name or value is one line that names the setting and what is allowed, and exit code 2.\n\n"
    "This page is rendered from the table in `src/app/config_table.cpp` and checked by "
    "`tests/unit/app/config_test.cpp`.\n";

std::string section_of(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string{} : std::string(name.substr(0, dot));
}

std::string key_of(std::string_view name) {
  const auto dot = name.find('.');
  return std::string(dot == std::string_view::npos ? name : name.substr(dot + 1));
}

struct DefaultText {
  std::string operator()(const std::string* value) const { return "\"" + *value + "\""; }
  std::string operator()(const std::int64_t* value) const { return std::to_string(*value); }
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::vector<std::string>*) const { return "[]"; }
  std::string operator()(const Secret*) const { return "\"\""; }
};

std::string comment(const Setting& setting) {
  std::string text(setting.help);
  text += " (" + setting.allowed_text() + ")";
  std::string out;
  while (text.size() > kHelpColumns) {
    const auto cut = text.rfind(' ', kHelpColumns);
    out += "# " + text.substr(0, cut) + "\n";
    text.erase(0, cut + 1);
  }
  return out + "# " + text + "\n";
}

bool is_secret_without_default(const Setting& setting) {
  Config config;
  return std::holds_alternative<Secret*>(setting.slot(config));
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string default_text(const Setting& setting) {
  Config config;
  return std::visit(DefaultText{}, setting.slot(config));
}

std::string render_toml() {
  std::string out(kTomlHead);
  std::string section;
  for (const auto& setting : settings()) {
    if (const auto own = section_of(setting.name); own != section) {
      section = own;
      out += "\n[" + section + "]";
    }
    out += "\n" + comment(setting);
    out += is_secret_without_default(setting) ? "# " : "";
    out += key_of(setting.name) + " = " + default_text(setting) + "\n";
  }
  return out;
}

std::string render_markdown() {
  std::string out(kMarkdownHead);
  std::string section = "none yet";
  for (const auto& setting : settings()) {
    if (const auto own = section_of(setting.name); own != section) {
      section = own;
      out += "\n## " + (section.empty() ? "Without a section" : "[" + section + "]");
      out += "\n\n| setting | default | allowed | what it does | environment |\n|---|---|---|---|---|\n";
    }
    out += "| `" + key_of(setting.name) + "` | ";
    out += is_secret_without_default(setting) ? "not set" : "`" + default_text(setting) + "`";
    out +=
        " | " + setting.allowed_text() + " | " + std::string(setting.help) + " | `" + setting.environment_name() + "`";
    out += setting.secret ? " (also `…_FILE`)" : "";
    out += setting.alias.empty() ? "" : ", `" + std::string(setting.alias) + "`";
    out += " |\n";
  }
  return out;
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 2) + 1;
  for (const auto& candidate : known) {
    if (const auto d = distance(name, candidate); d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace flexsync::app
