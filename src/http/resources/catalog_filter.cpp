#include "http/resources/catalog_filter.hpp"

#include <algorithm>

namespace flexsync::http {

namespace {

constexpr std::size_t kIdsMax = 1000;

}  // namespace

std::optional<Status> read_status(const Query& query, Details& details) {
  const auto text = query.text("status");
  if (text.empty()) {
    return std::nullopt;
  }
  for (const auto known : {Status::published, Status::archived, Status::deleted}) {
    if (text == to_string(known)) {
      return known;
    }
  }
  details.emplace("status", "must be published, archived or deleted");
  return std::nullopt;
}

std::vector<std::string> read_ids(const Query& query, std::string_view name, Details& details) {
  auto ids = query.list(name);
  if (ids.size() > kIdsMax) {
    details.emplace(name, "must not name more than " + std::to_string(kIdsMax));
  }
  return ids;
}

PlanFilter read_plan_filter(const Query& query, std::string_view ids, Details& details) {
  query.allow_only({ids, "lookup_key", "status", "expand"}, details);
  PlanFilter filter;
  filter.list = query.list_options(details);
  filter.status = read_status(query, details);
  filter.ids = read_ids(query, ids, details);
  filter.lookup_key = query.text("lookup_key");
  return filter;
}

bool expands(const Query& query, const std::string& what) {
  const auto words = query.list("expand");
  return std::find(words.begin(), words.end(), what) != words.end();
}

}  // namespace flexsync::http
