#include "store/rows.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace flexsync::store {

namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// How many bytes the UTF-8 sequence at the front of `text` has; 0 = it is not one.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

std::string without_nul(const std::string& text) {
  if (text.find('\0') == std::string::npos) {
    return text;
  }
  std::string clean;
  for (const char c : text) {
    if (c == '\0') {
      clean += kReplacementCharacter;
    } else {
      clean += c;
    }
  }
  return clean;
}

// The elements of a text[].
std::vector<std::string> texts_from(const pqxx::field& field) {
  std::vector<std::string> texts;
  auto array = field.as_array();
  for (auto next = array.get_next(); next.first != pqxx::array_parser::done; next = array.get_next()) {
    if (next.first == pqxx::array_parser::string_value) {
      texts.push_back(std::move(next.second));
    }
  }
  return texts;
}

Scope scope_from(const pqxx::row& row) {
  return {TenantId{text_from(row["tenant_id"])}, EnvironmentId{text_from(row["environment_id"])}};
}

}  // namespace

std::string text_from(const pqxx::field& field) {
  return {field.c_str(), field.size()};
}

Timestamp time_from(const pqxx::field& field) {
  return from_unix_micros(field.as<std::int64_t>());
}

std::optional<Timestamp> optional_time_from(const pqxx::field& field) {
  if (field.is_null()) {
    return std::nullopt;
  }
  return time_from(field);
}

Metadata metadata_from_json(const std::string& json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    throw std::runtime_error("a metadata column holds no JSON object");
  }
  Metadata metadata;
  for (const auto& [key, value] : parsed.items()) {
    metadata.emplace(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return metadata;
}

std::string metadata_to_json(const Metadata& metadata) {
  auto json = nlohmann::json::object();
  for (const auto& [key, value] : metadata) {
    json[without_nul(key)] = without_nul(value);
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_storable(std::string_view text) {
  while (!text.empty()) {
    const auto length = text.front() == '\0' ? 0 : sequence_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string storable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const auto length = text.front() == '\0' ? 0 : sequence_length(text);
    clean += length == 0 ? kReplacementCharacter : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

Customer customer_from_row(const pqxx::row& row) {
  Customer customer;
  customer.id = CustomerId{text_from(row["id"])};
  customer.external_id = text_from(row["external_id"]);
  auto& fields = customer.fields;
  fields.name = text_from(row["name"]);
  fields.email = text_from(row["email"]);
  fields.contact = text_from(row["contact"]);
  fields.address_line1 = text_from(row["address_line1"]);
  fields.address_line2 = text_from(row["address_line2"]);
  fields.address_city = text_from(row["address_city"]);
  fields.address_state = text_from(row["address_state"]);
  fields.address_postal_code = text_from(row["address_postal_code"]);
  fields.address_country = text_from(row["address_country"]);
  fields.metadata = metadata_from_json(text_from(row["metadata"]));
  customer.status = parse_status(text_from(row["status"]));
  customer.version = row["version"].as<std::int64_t>();
  customer.created_at = time_from(row["created_at"]);
  customer.updated_at = time_from(row["updated_at"]);
  customer.created_by = text_from(row["created_by"]);
  customer.updated_by = text_from(row["updated_by"]);
  return customer;
}

Mapping mapping_from_row(const pqxx::row& row) {
  Mapping mapping;
  mapping.id = MappingId{text_from(row["id"])};
  mapping.entity_type = text_from(row["entity_type"]);
  mapping.entity_id = text_from(row["entity_id"]);
  mapping.provider_type = text_from(row["provider_type"]);
  mapping.provider_entity_id = text_from(row["provider_entity_id"]);
  mapping.metadata = metadata_from_json(text_from(row["metadata"]));
  mapping.status = parse_status(text_from(row["status"]));
  mapping.created_at = time_from(row["created_at"]);
  mapping.updated_at = time_from(row["updated_at"]);
  return mapping;
}

StripeObject stripe_object_from_row(const pqxx::row& row) {
  StripeObject object;
  object.object_type = text_from(row["object_type"]);
  object.stripe_id = StripeId{text_from(row["stripe_id"])};
  object.entity_id = text_from(row["entity_id"]);
  object.state = text_from(row["state"]);
  object.true_during = {time_from(row["true_from"]), time_from(row["true_to"])};
  object.deleted = row["deleted"].as<bool>();
  object.needs_reconcile = row["needs_reconcile"].as<bool>();
  object.version = row["version"].as<std::int64_t>();
  return object;
}

Intent intent_from_row(const pqxx::row& row) {
  Intent intent;
  intent.seq = row["seq"].as<std::int64_t>();
  intent.id = IntentId{text_from(row["id"])};
  intent.entity_type = text_from(row["entity_type"]);
  intent.entity_id = text_from(row["entity_id"]);
  intent.operation = parse_intent_operation(text_from(row["operation"]));
  intent.body = text_from(row["body"]);
  intent.idempotency_key = text_from(row["idempotency_key"]);
  intent.fields = texts_from(row["fields"]);
  intent.state = parse_intent_state(text_from(row["state"]));
  intent.attempts = row["attempts"].as<int>();
  intent.next_attempt_at = time_from(row["next_attempt_at"]);
  intent.look_first = row["look_first"].as<bool>();
  intent.error_code = text_from(row["error_code"]);
  intent.error_message = text_from(row["error_message"]);
  intent.request_id = text_from(row["request_id"]);
  intent.keyed_at = time_from(row["keyed_at"]);
  intent.created_at = time_from(row["created_at"]);
  intent.settled_at = optional_time_from(row["settled_at"]);
  return intent;
}

AuditEntry audit_from_row(const pqxx::row& row) {
  AuditEntry entry;
  entry.entity_type = text_from(row["entity_type"]);
  entry.entity_id = text_from(row["entity_id"]);
  entry.action = text_from(row["action"]);
  entry.actor = text_from(row["actor"]);
  entry.before = text_from(row["before"]);
  entry.after = text_from(row["after"]);
  entry.request_id = text_from(row["request_id"]);
  entry.at = time_from(row["at"]);
  return entry;
}

Environment environment_from_row(const pqxx::row& row) {
  Environment environment;
  environment.id = EnvironmentId{text_from(row["environment_id"])};
  environment.tenant = TenantId{text_from(row["tenant_id"])};
  environment.name = text_from(row["name"]);
  environment.type = text_from(row["type"]);
  environment.created_at = time_from(row["created_at"]);
  environment.updated_at = time_from(row["updated_at"]);
  return environment;
}

ApiKey api_key_from_row(const pqxx::row& row) {
  ApiKey key;
  key.id = ApiKeyId{text_from(row["id"])};
  key.scope = scope_from(row);
  key.name = text_from(row["name"]);
  key.type = text_from(row["type"]);
  key.display = text_from(row["display"]);
  key.expires_at = optional_time_from(row["expires_at"]);
  key.last_used_at = optional_time_from(row["last_used_at"]);
  key.status = parse_status(text_from(row["status"]));
  key.created_at = time_from(row["created_at"]);
  key.updated_at = time_from(row["updated_at"]);
  return key;
}

Connection connection_from_row(const pqxx::row& row) {
  Connection connection;
  connection.id = ConnectionId{text_from(row["id"])};
  connection.scope = scope_from(row);
  connection.name = text_from(row["name"]);
  connection.provider_type = text_from(row["provider_type"]);
  connection.account_id = text_from(row["account_id"]);
  if (!row["livemode"].is_null()) {
    connection.livemode = row["livemode"].as<bool>();
  }
  connection.metadata = metadata_from_json(text_from(row["metadata"]));
  connection.sync_config = text_from(row["sync_config"]);
  connection.status = parse_status(text_from(row["status"]));
  connection.created_by = text_from(row["created_by"]);
  connection.created_at = time_from(row["created_at"]);
  connection.updated_at = time_from(row["updated_at"]);
  return connection;
}

}  // namespace flexsync::store
