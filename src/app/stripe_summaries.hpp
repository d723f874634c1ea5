// What Stripe's meters have counted, for a command.
#pragma once

#include <utility>

#include "app/stripe_asker.hpp"
#include "app/usage_settlement.hpp"

namespace flexsync::app {

class StripeSummaries {
 public:
  StripeSummaries(const Config& config, Secret secret_key, const Clock& clock)
      : stripe_(config, std::move(secret_key), clock) {}

  // All pages, by the hour. Errors: StripeAsker's.
  Result<AcceptedHours> read(const StripeAccount& account, const Segment& span);

 private:
  StripeAsker stripe_;
};

}  // namespace flexsync::app
