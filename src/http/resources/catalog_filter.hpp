// What the lists of plans, addons and subscriptions read from the query alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/query.hpp"

namespace flexsync::http {

// Of the row: published, archived or deleted.
std::optional<Status> read_status(const Query& query, Details& details);

// At most 1000 of them.
std::vector<std::string> read_ids(const Query& query, std::string_view name, Details& details);

// `ids`: "plan_ids" or "addon_ids".
PlanFilter read_plan_filter(const Query& query, std::string_view ids, Details& details);

// Whether `expand`, words with commas between them, has this one. Words that mean nothing to us are passed over: they
// ask to see more, never less.
bool expands(const Query& query, const std::string& what);

}  // namespace flexsync::http
