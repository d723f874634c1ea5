// Asking Stripe for a command: one request after the other, with the client's retries, but without the actor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "domain/clock.hpp"
#include "stripe/call.hpp"
#include "stripe/outcome.hpp"
#include "stripe/transport.hpp"

namespace flexsync::app {

// Lets a while pass; nothing happens in it.
void pause_for(std::chrono::milliseconds length);

class StripeAsker {
 public:
  StripeAsker(const Config& config, Secret secret_key, const Clock& clock);

  stripe::CallOutcome ask(const stripe::Call& call);

  // A sentence and its code for an outcome that is no answer: invalid_operation: Stripe answered, but not to this
  // question; unauthenticated: it does not take the key; service_unavailable: it cannot be reached. `what` was asked
  // for: "no usage of meter mtr_1".
  Error explain(const stripe::CallOutcome& outcome, const std::string& what) const;

  const std::string& base() const { return base_; }

 private:
  const Clock& clock_;
  std::string base_;
  Secret secret_key_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<stripe::Transport> transport_;
  std::uint64_t asked_ = 0;
};

}  // namespace flexsync::app
