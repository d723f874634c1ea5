#include "app/config_value.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace flexsync::app {

namespace {

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::validation_error, std::move(message));
}

Result<void> check_text(const Setting& setting, const std::string& value, const Origin& origin) {
  const bool chosen = setting.choices.empty() ||
                      std::find(setting.choices.begin(), setting.choices.end(), value) != setting.choices.end();
  const bool printable = std::none_of(value.begin(), value.end(), [](char c) { return c == '\0' || c == '\n'; });
  if (!chosen || !printable || (setting.valid != nullptr && !setting.valid(value))) {
    return bad(origin.show(setting, value) + " is not valid: allowed is " + setting.allowed_text());
  }
  return {};
}

Result<void> check_number(const Setting& setting, std::int64_t value, const Origin& origin) {
  if (value < setting.min || value > setting.max) {
    return bad(origin.show(setting, std::to_string(value)) + " is out of range: allowed is " + setting.allowed_text());
  }
  return {};
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> entries;
  std::istringstream in(text);
  for (std::string entry; std::getline(in, entry, ',');) {
    if (auto clean = trimmed(entry); !clean.empty()) {
      entries.push_back(std::move(clean));
    }
  }
  return entries;
}

// Writes a value given as text (from the environment or a secret's file) to its place.
struct FromText {
  const Setting& setting;
  const std::string& text;
  const Origin& origin;

  Result<void> operator()(std::string* target) const {
    *target = text;
    return check_text(setting, text, origin);
  }
  Result<void> operator()(Secret* target) const {
    *target = Secret(text);
    return check_text(setting, text, origin);
  }
  Result<void> operator()(std::int64_t* target) const {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, *target);
    if (fault != std::errc{} || stop != end) {
      return bad(origin.show(setting, text) + " is not a whole number: allowed is " + setting.allowed_text());
    }
    return check_number(setting, *target, origin);
  }
  Result<void> operator()(bool* target) const {
    if (text != "true" && text != "false") {
      return bad(origin.show(setting, text) + " is not valid: allowed is true or false");
    }
    *target = text == "true";
    return {};
  }
  Result<void> operator()(std::vector<std::string>* target) const {
    *target = split_list(text);
    for (const auto& entry : *target) {
      if (auto checked = check_text(setting, entry, origin); !checked) {
        return checked;
      }
    }
    return {};
  }
};

// The same from a TOML value, which has a type of its own.
struct FromToml {
  const Setting& setting;
  const toml::node& node;
  const Origin& origin;

  tl::unexpected<Error> wrong_type(std::string_view wanted) const {
    return bad(origin.place + origin.name + " must be " + std::string(wanted) + ": allowed is " +
               setting.allowed_text());
  }
  Result<void> operator()(std::string* target) const {
    const auto value = node.value_exact<std::string>();
    if (!value) {
      return wrong_type("a text in quotes");
    }
    *target = *value;
    return check_text(setting, *value, origin);
  }
  Result<void> operator()(Secret* target) const {
    const auto value = node.value_exact<std::string>();
    if (!value) {
      return wrong_type("a text in quotes");
    }
    *target = Secret(*value);
    return value->empty() ? Result<void>{} : check_text(setting, *value, origin);
  }
  Result<void> operator()(std::int64_t* target) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) {
      return wrong_type("a whole number");
    }
    *target = *value;
    return check_number(setting, *value, origin);
  }
  Result<void> operator()(bool* target) const {
    const auto value = node.value_exact<bool>();
    if (!value) {
      return wrong_type("true or false without quotes");
    }
    *target = *value;
    return {};
  }
  Result<void> operator()(std::vector<std::string>* target) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
      return wrong_type("a list of texts");
    }
    target->clear();
    for (const auto& entry : *list) {
      const auto value = entry.value_exact<std::string>();
      if (!value) {
        return wrong_type("a list of texts");
      }
      if (auto checked = check_text(setting, *value, origin); !checked) {
        return checked;
      }
      target->push_back(*value);
    }
    return {};
  }
};

}  // namespace

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

std::string Origin::show(const Setting& setting, std::string_view value) const {
  if (setting.secret) {
    return place + name;
  }
  return place + name + (from_file ? " = " : "=") + std::string(value);
}

Result<void> set_from_text(const Setting& setting, const std::string& text, const Origin& origin, Config& config) {
  return std::visit(FromText{setting, text, origin}, setting.slot(config));
}

Result<void> set_from_toml(const Setting& setting, const toml::node& node, const Origin& origin, Config& config) {
  return std::visit(FromToml{setting, node, origin}, setting.slot(config));
}

}  // namespace flexsync::app
