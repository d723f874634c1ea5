// Asking Stripe what its meters have counted, for a command: one request after the other, with the client's retries,
// but without the actor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "app/usage_settlement.hpp"
#include "domain/clock.hpp"
#include "stripe/call.hpp"
#include "stripe/outcome.hpp"
#include "stripe/transport.hpp"

namespace flexsync::app {

class StripeSummaries {
 public:
  StripeSummaries(const Config& config, Secret secret_key, const Clock& clock);

  // All pages, by the hour. invalid_operation: Stripe answered, but not to this question; unauthenticated: it does not
  // take the key; service_unavailable: it cannot be reached.
  Result<AcceptedHours> read(const StripeAccount& account, const Segment& span);

 private:
  stripe::CallOutcome ask(const stripe::Call& call);

  const Clock& clock_;
  std::string base_;
  Secret secret_key_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<stripe::Transport> transport_;
  std::uint64_t asked_ = 0;
};

}  // namespace flexsync::app
