#include "store/usage_rows.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

// By hand: this runs for every event, and a document built first would cost more than the row's insert.
void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4U];
      out += kDigits[static_cast<unsigned char>(c) & 15U];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Decimal decimal_from(const pqxx::field& field) {
  const auto number = Decimal::parse({field.c_str(), field.size()});
  if (!number) {
    throw std::runtime_error("a column holds \"" + text_from(field) + "\", which is no decimal");
  }
  return *number;
}

std::string properties_to_json(const std::map<std::string, std::string>& properties) {
  std::string json = "{";
  for (const auto& [key, value] : properties) {
    if (json.size() > 1) {
      json += ',';
    }
    append_quoted(json, key);
    json += ':';
    append_quoted(json, value);
  }
  return json += '}';
}

std::map<std::string, std::string> properties_from_json(const std::string& json) {
  const auto parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    throw std::runtime_error("the properties of an event are no JSON object");
  }
  return parsed.get<std::map<std::string, std::string>>();
}

std::string filters_to_json(const std::vector<MeterFilter>& filters) {
  auto json = Json::array();
  for (const auto& filter : filters) {
    json.push_back({{"key", filter.key}, {"values", filter.values}});
  }
  return json.dump();
}

std::vector<MeterFilter> filters_from_json(const std::string& json) {
  std::vector<MeterFilter> filters;
  for (const auto& filter : Json::parse(json)) {
    filters.push_back({filter.at("key").get<std::string>(), filter.at("values").get<std::vector<std::string>>()});
  }
  return filters;
}

UsageEvent usage_event_from_row(const pqxx::row& row) {
  UsageEvent event;
  event.id = UsageEventId{text_from(row["event_id"])};
  event.event_name = text_from(row["event_name"]);
  event.external_customer_id = text_from(row["external_customer_id"]);
  event.customer_id = CustomerId{text_from(row["customer_id"])};
  event.timestamp = time_from(row["occurred_at"]);
  event.properties = properties_from_json(text_from(row["properties"]));
  event.source = text_from(row["source"]);
  event.received = time_from(row["received_at"]);
  return event;
}

Meter meter_from_row(const pqxx::row& row) {
  Meter meter;
  meter.id = MeterId{text_from(row["id"])};
  meter.name = text_from(row["name"]);
  meter.event_name = text_from(row["event_name"]);
  meter.aggregation = parse_aggregation(text_from(row["aggregation"])).value();
  meter.field = text_from(row["field"]);
  meter.multiplier = decimal_from(row["multiplier"]);
  meter.filters = filters_from_json(text_from(row["filters"]));
  meter.reset_usage = text_from(row["reset_usage"]);
  meter.status = parse_status(text_from(row["status"]));
  meter.created_at = time_from(row["created_at"]);
  meter.updated_at = time_from(row["updated_at"]);
  meter.created_by = text_from(row["created_by"]);
  meter.updated_by = text_from(row["updated_by"]);
  return meter;
}

MeterMapping meter_mapping_from_row(const pqxx::row& row) {
  MeterMapping mapping;
  mapping.id = MeterMappingId{text_from(row["id"])};
  mapping.meter_id = MeterId{text_from(row["meter_id"])};
  mapping.stripe_meter_id = StripeId{text_from(row["stripe_meter_id"])};
  mapping.event_name = text_from(row["event_name"]);
  mapping.customer_key = text_from(row["customer_key"]);
  mapping.value_key = text_from(row["value_key"]);
  mapping.scale = row["scale"].as<int>();
  mapping.start_at = time_from(row["start_at"]);
  mapping.sync_enabled = row["sync_enabled"].as<bool>();
  mapping.status = parse_status(text_from(row["status"]));
  mapping.created_at = time_from(row["created_at"]);
  mapping.updated_at = time_from(row["updated_at"]);
  return mapping;
}

UsageBatch usage_batch_from_row(const pqxx::row& row) {
  UsageBatch batch;
  batch.id = BatchId{text_from(row["id"])};
  batch.customer_id = CustomerId{text_from(row["customer_id"])};
  batch.meter_id = MeterId{text_from(row["meter_id"])};
  batch.stripe_customer_id = StripeId{text_from(row["stripe_customer_id"])};
  batch.event_name = text_from(row["event_name"]);
  batch.customer_key = text_from(row["customer_key"]);
  batch.value_key = text_from(row["value_key"]);
  batch.quantity = decimal_from(row["quantity"]);
  batch.value = decimal_from(row["value"]);
  batch.scale = row["scale"].as<int>();
  batch.event_count = row["event_count"].as<std::int64_t>();
  batch.window = {time_from(row["window_start"]), time_from(row["window_end"])};
  batch.sequence = row["sequence"].as<int>();
  batch.identifier = text_from(row["identifier"]);
  batch.timestamp = time_from(row["event_at"]);
  batch.status = parse_batch_status(text_from(row["status"])).value();
  batch.attempts = row["attempts"].as<int>();
  batch.next_attempt_at = time_from(row["next_attempt_at"]);
  batch.error_code = text_from(row["error_code"]);
  batch.error_message = text_from(row["error_message"]);
  batch.first_sent_at = optional_time_from(row["first_sent_at"]);
  batch.synced_at = optional_time_from(row["synced_at"]);
  batch.created_at = time_from(row["created_at"]);
  batch.updated_at = time_from(row["updated_at"]);
  return batch;
}

}  // namespace flexsync::store
