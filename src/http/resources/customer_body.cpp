#include "http/resources/customer_body.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "domain/country.hpp"
#include "http/json_body.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kExternalIdSizeMax = 255;
constexpr std::size_t kMetadataEntriesMax = 48;         // Stripe's 50, less the two that say whose customer it is
constexpr MetadataLimits kMetadataLimits{51, 40, 500};  // Stripe's; our three keys may come back as they were read

// Sizes are FlexPrice's, in characters.
struct TextField {
  const char* name;
  std::string CustomerFields::*of_new;
  std::optional<std::string> UpdateCustomer::*of_update;
  std::size_t size_max;
};
constexpr std::array kTextFields = {
    TextField{"name", &CustomerFields::name, &UpdateCustomer::name, 255},
    TextField{"email", &CustomerFields::email, &UpdateCustomer::email, 255},
    TextField{"contact", &CustomerFields::contact, &UpdateCustomer::contact, 20},
    TextField{"address_line1", &CustomerFields::address_line1, &UpdateCustomer::address_line1, 255},
    TextField{"address_line2", &CustomerFields::address_line2, &UpdateCustomer::address_line2, 255},
    TextField{"address_city", &CustomerFields::address_city, &UpdateCustomer::address_city, 100},
    TextField{"address_state", &CustomerFields::address_state, &UpdateCustomer::address_state, 100},
    TextField{"address_postal_code", &CustomerFields::address_postal_code, &UpdateCustomer::address_postal_code, 20},
    TextField{"address_country", &CustomerFields::address_country, &UpdateCustomer::address_country, 2},
};

// Whether mail could go there; whether it does, only mail can tell.
bool is_plausible_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) {
    return false;
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) {
      return false;
    }
  }
  const auto domain = text.substr(at + 1);
  const auto dot = domain.find('.');
  return dot != 0 && dot != std::string_view::npos && domain.back() != '.' &&
         domain.find("..") == std::string_view::npos;
}

// Empty is always fine: it says that there is none.
void check(const FieldReader& fields, std::string_view name, const std::string& value) {
  if (value.empty()) {
    return;
  }
  if (name == "email" && !is_plausible_email(value)) {
    fields.wrong(name, "must be an e-mail address such as jane@example.com");
  } else if (name == "address_country" && !is_country_code(value)) {
    fields.wrong(name, "must be an ISO 3166-1 alpha-2 code such as DE");
  }
}

Metadata read_metadata(const FieldReader& fields) {
  std::size_t theirs = 0;
  if (const auto* given = fields.object("metadata")) {
    for (const auto& [key, value] : given->items()) {
      theirs += is_reserved_metadata(key) ? 0 : 1;
    }
  }
  if (theirs > kMetadataEntriesMax) {
    fields.wrong("metadata", "must not have more than " + std::to_string(kMetadataEntriesMax) + " entries");
  }
  return fields.metadata("metadata", kMetadataLimits);
}

}  // namespace

CreateCustomer read_new_customer(const nlohmann::json& body, Details& details) {
  const FieldReader fields(body, details);
  CreateCustomer wanted;
  wanted.external_id = fields.required_text("external_id", kExternalIdSizeMax);
  for (const auto& [name, of_new, of_update, size_max] : kTextFields) {
    auto& value = wanted.fields.*of_new;
    value = fields.text(name, size_max);
    check(fields, name, value);
  }
  wanted.fields.metadata = read_metadata(fields);
  take_reserved_out(wanted.fields.metadata, {}, details);
  return wanted;
}

UpdateCustomer read_customer_update(const nlohmann::json& body, Details& details) {
  const FieldReader fields(body, details);
  UpdateCustomer wanted;
  if (fields.has("external_id")) {
    wanted.external_id = fields.required_text("external_id", kExternalIdSizeMax);
  }
  for (const auto& [name, of_new, of_update, size_max] : kTextFields) {
    if (fields.has(name)) {
      auto value = fields.text(name, size_max);
      check(fields, name, value);
      wanted.*of_update = std::move(value);
    }
  }
  if (fields.has("metadata")) {
    wanted.metadata = read_metadata(fields);
  }
  return wanted;
}

void take_reserved_out(Metadata& wanted, const Metadata& stored, Details& details) {
  for (auto it = wanted.begin(); it != wanted.end();) {
    if (!is_reserved_metadata(it->first)) {
      ++it;
      continue;
    }
    const auto kept = stored.find(it->first);
    if (kept == stored.end() || kept->second != it->second) {
      details.emplace("metadata." + it->first, "is a reserved key: Flexsync writes it");
    }
    it = wanted.erase(it);
  }
}

}  // namespace flexsync::http
