#include "stripe_sim/versions/api_versions.hpp"

#include <algorithm>

namespace stripe_sim {

// From 2020 on: Stripe has older ones, whose shapes nothing here could be checked against.
const std::vector<std::string>& api_versions() {
  static const std::vector<std::string> versions{
      "2020-03-02",        "2020-08-27",        "2022-08-01",        "2022-11-15",        "2023-08-16",
      "2023-10-16",        "2024-04-10",        "2024-06-20",        "2024-09-30.acacia", "2024-10-28.acacia",
      "2024-11-20.acacia", "2024-12-18.acacia", "2025-01-27.acacia", "2025-02-24.acacia", "2025-03-01.dashboard",
      "2025-03-31.basil",  "2025-04-30.basil",  "2025-05-28.basil",  "2025-06-30.basil",  "2025-07-30.basil",
      "2025-08-27.basil",  "2025-09-30.clover", "2025-10-29.clover", "2025-11-17.clover", "2025-12-15.clover",
      "2026-01-28.clover", "2026-02-25.clover", "2026-03-25.dahlia", "2026-04-22.dahlia", "2026-05-27.dahlia",
      "2026-06-24.dahlia", "2026-07-29.dahlia", "2026-08-26.dahlia", "2026-09-30.endive", kApiVersion};
  return versions;
}

bool is_api_version(const std::string& version) {
  return std::binary_search(api_versions().begin(), api_versions().end(), version);
}

StripeError invalid_version(const std::string& version) {
  return invalid_request("Invalid Stripe API version: " + version);
}

StripeError invalid_version_param(const std::string& version, const std::string& param) {
  std::string all;
  for (const std::string& known : api_versions()) {
    all += (all.empty() ? "" : known == api_versions().back() ? ", or " : ", ") + known;
  }
  return invalid_request("Invalid " + param + ": '" + version + "'; must be one of " + all, param);
}

}  // namespace stripe_sim
