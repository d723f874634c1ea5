// `usage audit`: the books against themselves, then against Stripe, as people and programs read it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/store_session.hpp"
#include "app/usage_settlement.hpp"
#include "domain/usage.hpp"
#include "store/usage_audit.hpp"

namespace flexsync::app {

struct UsageProof {
  store::UsageTotals totals;
  std::optional<store::UsageDifference> difference;  // in the books
  std::optional<Settlement> settlement;              // nothing: Stripe was not to be asked, or the books differ
  std::optional<Error> not_asked;                    // the first account that Stripe gave no figures for, and why
  std::vector<UsageBatch> unsettled;                 // pending and ambiguous ones, kUnsettledNamedMax of each
  std::int64_t unsettled_count = 0;

  bool equal() const { return !difference && !(settlement && settlement->first_difference); }
};

inline constexpr int kUnsettledNamedMax = 20;

Result<UsageProof> prove_usage(StoreSession& session, const Scope& scope, bool ask_stripe);

std::string to_text(const UsageProof& proof);
nlohmann::json to_json(const UsageProof& proof);

}  // namespace flexsync::app
