// Prices beside the plan or the addon that has them: `expand=prices`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "domain/plan.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

namespace flexsync::http {

// Whose record is to get its prices.
struct Priced {
  PlanId plan_id;           // an addon's: its twin
  std::string entity_type;  // "PLAN" or "ADDON"
  std::string entity_id;
};

// The records with their `prices`, read in one query, where the request expands them; else as they are. `records` are
// those of `owners`, in their order.
Result<nlohmann::json> with_prices(Ports ports, const RequestContext& context, const std::vector<Priced>& owners,
                                   nlohmann::json records);

}  // namespace flexsync::http
