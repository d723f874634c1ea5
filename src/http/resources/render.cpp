#include "http/resources/render.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"

namespace flexsync::http {

void put_scope(nlohmann::json& record, const Scope& scope) {
  record["tenant_id"] = scope.tenant.str();
  record["environment_id"] = scope.environment.str();
}

void put_time(nlohmann::json& record, const char* name, const std::optional<Timestamp>& time) {
  record[name] = time ? nlohmann::json(to_rfc3339(*time)) : nlohmann::json();
}

nlohmann::json embedded_json(const std::string& text, int depth_max) {
  if (!nests_deeper_than(text, depth_max)) {
    auto value = nlohmann::json::parse(text, nullptr, false);
    if (!value.is_discarded()) {
      return value;
    }
  }
  return text;
}

Response list_response(nlohmann::json items, std::int64_t total, const ListOptions& list) {
  return counted_list_response(std::move(items), total, false, list);
}

Response counted_list_response(nlohmann::json items, std::int64_t total, bool more, const ListOptions& list) {
  nlohmann::json pagination = {{"total", total}, {"limit", list.limit}, {"offset", list.offset + list.limit}};
  if (more) {
    pagination["total_is_minimum"] = true;
  }
  return json_response(200, {{"items", std::move(items)}, {"pagination", std::move(pagination)}});
}

}  // namespace flexsync::http
