// Is this webhook Stripe's, whose is it, and what is it? Signature, time, shape: before anything is stored.
//
// Runs at every webhook, on the thread that received it: nothing here waits, and the body is never copied.
#pragma once

#include <memory>
#include <vector>

#include "domain/clock.hpp"
#include "domain/ports.hpp"
#include "store/connection_cache.hpp"

namespace flexsync::app {

// Where a verified event of the global address is stored that belongs to no connection: marked ignored, outside of
// every tenant. (Refusing it over and over would make Stripe disable the endpoint, for everybody.)
inline const Scope kUnclaimedScope{};

class StripeWebhookVerifier final : public WebhookVerifier {
 public:
  // `global_secrets`: STRIPE_WEBHOOK_SECRET, for the address without tenant and environment; none closes it.
  StripeWebhookVerifier(store::ConnectionCache connections, const Clock& clock, std::vector<Secret> global_secrets);

  void verify(WebhookDelivery delivery, std::function<void(Result<IncomingEvent>)> reply) override;

 private:
  struct Pending;

  void verify_scoped(const std::shared_ptr<Pending>& pending);
  void verify_global(const std::shared_ptr<Pending>& pending);

  store::ConnectionCache connections_;
  const Clock& clock_;
  const std::vector<Secret> global_secrets_;
};

}  // namespace flexsync::app
