#include "http/resources/shapes.hpp"

#include <nlohmann/json.hpp>

#include "http/resources/render.hpp"

namespace flexsync::http {

namespace {

// What a plan and its twin addon have in common.
template <class T>
nlohmann::json product_json(const Scope& scope, const T& product) {
  nlohmann::json record = {{"id", product.id.str()},
                           {"lookup_key", product.lookup_key},
                           {"name", product.fields.name},
                           {"description", product.fields.description},
                           {"metadata", nlohmann::json(product.fields.metadata)},
                           {"prices", nullptr},
                           {"entitlements", nullptr},
                           {"credit_grants", nullptr},
                           {"status", to_string(product.status)},
                           {"created_at", to_rfc3339(product.created_at)},
                           {"updated_at", to_rfc3339(product.updated_at)},
                           {"created_by", product.created_by},
                           {"updated_by", product.updated_by}};
  put_scope(record, scope);
  return record;
}

}  // namespace

nlohmann::json plan_json(const Scope& scope, const Plan& plan) {
  auto record = product_json(scope, plan);
  record["display_order"] = nullptr;
  return record;
}

nlohmann::json addon_json(const Scope& scope, const Addon& addon) {
  auto record = product_json(scope, addon);
  record["type"] = nullptr;
  return record;
}

nlohmann::json customer_json(const Scope& scope, const Customer& customer) {
  const auto& fields = customer.fields;
  nlohmann::json record = {{"id", customer.id.str()},
                           {"external_id", customer.external_id},
                           {"name", fields.name},
                           {"email", fields.email},
                           {"contact", fields.contact},
                           {"address_line1", fields.address_line1},
                           {"address_line2", fields.address_line2},
                           {"address_city", fields.address_city},
                           {"address_state", fields.address_state},
                           {"address_postal_code", fields.address_postal_code},
                           {"address_country", fields.address_country},
                           {"parent_customer_id", nullptr},
                           {"parent_customer", nullptr},
                           {"metadata", nlohmann::json(fields.metadata)},
                           {"status", to_string(customer.status)},
                           {"created_at", to_rfc3339(customer.created_at)},
                           {"updated_at", to_rfc3339(customer.updated_at)},
                           {"created_by", customer.created_by},
                           {"updated_by", customer.updated_by}};
  put_scope(record, scope);
  return record;
}

nlohmann::json mapping_json(const Scope& scope, const Mapping& mapping) {
  const auto via = mapping.metadata.find("created_via");
  const auto by = via != mapping.metadata.end() ? via->second : std::string();
  nlohmann::json record = {{"id", mapping.id.str()},
                           {"entity_type", mapping.entity_type},
                           {"entity_id", mapping.entity_id},
                           {"provider_type", mapping.provider_type},
                           {"provider_entity_id", mapping.provider_entity_id},
                           {"metadata", nlohmann::json(mapping.metadata)},
                           {"status", to_string(mapping.status)},
                           {"created_at", to_rfc3339(mapping.created_at)},
                           {"updated_at", to_rfc3339(mapping.updated_at)},
                           {"created_by", by},
                           {"updated_by", mapping.updated_at == mapping.created_at ? by : std::string()}};
  put_scope(record, scope);
  return record;
}

nlohmann::json intent_json(const Scope& scope, const Intent& intent) {
  nlohmann::json record = {{"id", intent.id.str()},
                           {"entity_type", intent.entity_type},
                           {"entity_id", intent.entity_id},
                           {"operation", to_string(intent.operation)},
                           {"fields", intent.fields},
                           {"state", to_string(intent.state)},
                           {"attempts", intent.attempts},
                           {"next_attempt_at", nullptr},
                           {"error", nullptr},
                           {"request_id", intent.request_id},
                           {"created_at", to_rfc3339(intent.created_at)}};
  if (intent.state == IntentState::ready) {
    record["next_attempt_at"] = to_rfc3339(intent.next_attempt_at);
  }
  if (!intent.error_code.empty() || !intent.error_message.empty()) {
    record["error"] = {{"code", intent.error_code}, {"message", intent.error_message}};
  }
  put_time(record, "settled_at", intent.settled_at);
  put_scope(record, scope);
  return record;
}

}  // namespace flexsync::http
