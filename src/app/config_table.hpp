// The one table of settings: name, kind, what is allowed, what it does. Type and default are the member's in Config.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config.hpp"

namespace flexsync::app {

// Where a setting's value lives in a Config; the alternative is its type.
using Slot = std::variant<std::string*, std::int64_t*, bool*, std::vector<std::string>*, Secret*>;

struct Setting {
  std::string_view name;  // "http.port"; a top-level one has no dot
  Slot (*slot)(Config&);
  std::string_view help;  // one line

  // What is allowed; which of these counts depends on the type.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string_view> choices = {};   // empty: any text
  bool (*valid)(const std::string&) = nullptr;  // of a text, or of each entry of a list
  std::string_view allowed = {};                // what `valid` accepts, in words
  std::string_view alias = {};                  // a second environment variable, as FlexPrice and Stripe name it
  bool secret = false;                          // never echoed; may come from ..._FILE

  std::string environment_name() const;  // FLEXSYNC_HTTP_PORT
  std::string allowed_text() const;      // "0 to 65535", "log, archive or delete", …
};

const std::vector<Setting>& settings();

// The default as TOML writes it: 8080, "text", [], true.
std::string default_text(const Setting& setting);

// config/flexsync.toml and docs/configuration.md, whole.
std::string render_toml();
std::string render_markdown();

// The known name that looks most like `name`; empty when none comes near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace flexsync::app
