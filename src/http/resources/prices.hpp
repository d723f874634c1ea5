// Prices beside the plan or the addon that has them: `expand=prices`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "domain/plan.hpp"
#include "http/server.hpp"

namespace flexsync::http {

// Whose record is to get its prices.
struct Priced {
  PlanId plan_id;           // an addon's: its twin
  std::string entity_type;  // "PLAN" or "ADDON"
  std::string entity_id;
};

// Fills `prices` of every record, in one query; `records` are those of `owners`, in their order.
Result<void> expand_prices(Ports ports, const Scope& scope, const std::vector<Priced>& owners, nlohmann::json& records);

}  // namespace flexsync::http
