#include "sync/customer_fields.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "domain/country.hpp"
#include "domain/ulid.hpp"

namespace flexsync::sync {

namespace {

std::string storable(const std::string& text) {
  if (text.find('\0') == std::string::npos) {
    return text;
  }
  std::string clean;
  for (const char c : text) {
    if (c == '\0') {
      clean += "\xEF\xBF\xBD";
    } else {
      clean += c;
    }
  }
  return clean;
}

using Member = std::string CustomerFields::*;
struct NamedMember {
  const char* name;
  Member member;
};
constexpr std::array kMembers = {
    NamedMember{"name", &CustomerFields::name},
    NamedMember{"email", &CustomerFields::email},
    NamedMember{"contact", &CustomerFields::contact},
    NamedMember{"address_line1", &CustomerFields::address_line1},
    NamedMember{"address_line2", &CustomerFields::address_line2},
    NamedMember{"address_city", &CustomerFields::address_city},
    NamedMember{"address_state", &CustomerFields::address_state},
    NamedMember{"address_postal_code", &CustomerFields::address_postal_code},
    NamedMember{"address_country", &CustomerFields::address_country},
};

const std::string* value_of(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : &found->second;
}

void apply_metadata(const Metadata& from, const Metadata& to, Metadata& metadata) {
  for (const auto& [key, value] : to) {
    const auto* old = value_of(from, key);
    if (old == nullptr || *old != value) {
      metadata[key] = value;
    }
  }
  for (const auto& [key, value] : from) {
    if (!to.contains(key)) {
      metadata.erase(key);
    }
  }
}

}  // namespace

MappedFields to_customer_fields(const stripe::CustomerState& state) {
  MappedFields mapped;
  auto& fields = mapped.fields;
  fields.name = storable(!state.name.empty() ? state.name : !state.email.empty() ? state.email : state.id.str());
  fields.email = storable(state.email);
  fields.contact = storable(state.phone);
  fields.address_line1 = storable(state.line1);
  fields.address_line2 = storable(state.line2);
  fields.address_city = storable(state.city);
  fields.address_state = storable(state.state);
  fields.address_postal_code = storable(state.postal_code);
  auto country = storable(state.country);
  std::transform(country.begin(), country.end(), country.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c); });
  if (country.empty() || is_country_code(country)) {
    fields.address_country = country;
  } else {
    mapped.note =
        "address.country '" + storable(state.country) + "' is not an ISO 3166-1 alpha-2 code and was kept out";
  }
  for (const auto& [key, value] : state.metadata) {
    if (!is_reserved_metadata(key)) {
      fields.metadata[storable(key)] = storable(value);
    }
  }
  return mapped;
}

void apply_difference(const CustomerFields& from, const CustomerFields& to, CustomerFields& fields) {
  for (const auto& [name, member] : kMembers) {
    if (from.*member != to.*member) {
      fields.*member = to.*member;
    }
  }
  apply_metadata(from.metadata, to.metadata, fields.metadata);
}

std::vector<std::string> changed_fields(const CustomerFields& from, const CustomerFields& to) {
  std::vector<std::string> names;
  for (const auto& [name, member] : kMembers) {
    if (from.*member != to.*member) {
      names.emplace_back(name);
    }
  }
  Metadata keys = from.metadata;
  keys.insert(to.metadata.begin(), to.metadata.end());
  for (const auto& [key, value] : keys) {
    const auto* was = value_of(from.metadata, key);
    const auto* is = value_of(to.metadata, key);
    if (!is_reserved_metadata(key) && (was == nullptr || is == nullptr || *was != *is)) {
      names.push_back(std::string(kMetadataPrefix) + key);
    }
  }
  return names;
}

void copy_fields(const std::vector<std::string>& names, const CustomerFields& from, CustomerFields& to) {
  for (const auto& name : names) {
    if (name.starts_with(kMetadataPrefix)) {
      const auto key = name.substr(kMetadataPrefix.size());
      if (const auto* value = value_of(from.metadata, key)) {
        to.metadata[key] = *value;
      } else {
        to.metadata.erase(key);
      }
      continue;
    }
    for (const auto& [member_name, member] : kMembers) {
      if (name == member_name) {
        to.*member = from.*member;
      }
    }
  }
}

std::string field_value(const CustomerFields& fields, const std::string& name) {
  if (name.starts_with(kMetadataPrefix)) {
    const auto* value = value_of(fields.metadata, name.substr(kMetadataPrefix.size()));
    return value == nullptr ? std::string() : *value;
  }
  for (const auto& [member_name, member] : kMembers) {
    if (name == member_name) {
      return fields.*member;
    }
  }
  return {};
}

std::string external_id_for(const stripe::CustomerState& state) {
  const auto given = state.metadata.find(std::string(stripe::kMetadataExternalId));
  if (given != state.metadata.end() && !given->second.empty()) {
    return storable(given->second);
  }
  const auto claimed = state.metadata.find(std::string(stripe::kMetadataCustomerId));
  if (claimed != state.metadata.end() && !claimed->second.empty() && !has_id_form(prefix::kCustomer, claimed->second)) {
    return storable(claimed->second);
  }
  return state.id.str();
}

std::map<std::string, std::string> field_map(const Customer& customer) {
  std::map<std::string, std::string> fields{{"external_id", customer.external_id},
                                            {"status", to_string(customer.status)}};
  for (const auto& [name, member] : kMembers) {
    fields[name] = customer.fields.*member;
  }
  for (const auto& [key, value] : customer.fields.metadata) {
    fields[std::string(kMetadataPrefix) + key] = value;
  }
  return fields;
}

}  // namespace flexsync::sync
