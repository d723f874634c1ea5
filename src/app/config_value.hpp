// A setting's value read from text or TOML, checked against its row of the table.
#pragma once

#include <toml++/toml.h>
#include <string>
#include <string_view>

#include "app/config_table.hpp"

namespace flexsync::app {

// Where a value came from, as the person wrote it: "http.port = 99999" of a file or "FLEXSYNC_HTTP_PORT=99999" of the
// environment. A secret's value is not shown.
struct Origin {
  std::string place;  // "config.toml:3: " or empty
  std::string name;
  bool from_file = false;

  std::string show(const Setting& setting, std::string_view value) const;
};

Result<void> set_from_text(const Setting& setting, const std::string& text, const Origin& origin, Config& config);
Result<void> set_from_toml(const Setting& setting, const toml::node& node, const Origin& origin, Config& config);

std::string trimmed(std::string_view text);

}  // namespace flexsync::app
