#include "app/webhook_verifier.hpp"

#include <memory>
#include <utility>

#include "stripe/envelope.hpp"
#include "stripe/signature.hpp"

namespace flexsync::app {

namespace {

using Endpoint = store::ConnectionCache::Endpoint;

// A store that cannot be read is no fault of the sender's: 503, and Stripe comes again.
Error to_answer(const Error& error) {
  if (error.code == ErrorCode::not_found) {
    return {ErrorCode::validation_error, error.message, {}};
  }
  if (error.code == ErrorCode::service_unavailable) {
    return error;
  }
  return {ErrorCode::service_unavailable, "the Stripe connection cannot be read; send the webhook again", {}};
}

}  // namespace

// One webhook on its way through the checks; it moves from thread to thread where something must be read first.
struct StripeWebhookVerifier::Pending {
  WebhookDelivery delivery;
  Timestamp received;
  std::function<void(Result<IncomingEvent>)> reply;

  Result<void> check_signature(const std::vector<Secret>& secrets) const {
    if (secrets.empty()) {
      return fail(ErrorCode::validation_error, "Webhook secret not configured");
    }
    return stripe::verify_signature(delivery.signature_header, delivery.body, secrets, received);
  }

  void refuse(Error error) const { reply(tl::unexpected(std::move(error))); }

  // Only now is the body parsed: a stranger's is not worth it.
  void accept(const Endpoint& endpoint) {
    auto envelope = stripe::parse_envelope(delivery.body);
    if (!envelope) {
      refuse(envelope.error());
      return;
    }
    auto ignored = stripe::wrong_mode(envelope->livemode, endpoint->livemode);
    deliver(std::move(*envelope), endpoint->scope, std::move(ignored));
  }

  void deliver(stripe::Envelope envelope, const Scope& scope, std::string ignored) {
    auto event = stripe::incoming_event(std::move(envelope), std::move(delivery.body));
    event.scope = scope;
    event.received = received;
    event.request_id = std::move(delivery.request_id);
    event.ignored = std::move(ignored);
    reply(std::move(event));
  }
};

StripeWebhookVerifier::StripeWebhookVerifier(store::ConnectionCache connections, const Clock& clock,
                                             std::vector<Secret> global_secrets)
    : connections_(std::move(connections)), clock_(clock), global_secrets_(std::move(global_secrets)) {}

void StripeWebhookVerifier::verify(WebhookDelivery delivery, std::function<void(Result<IncomingEvent>)> reply) {
  const auto pending = std::make_shared<Pending>(Pending{std::move(delivery), clock_.now(), std::move(reply)});
  if (pending->delivery.signature_header.empty()) {
    pending->refuse({ErrorCode::validation_error, "the Stripe-Signature header is missing", {}});
  } else if (pending->delivery.scope) {
    verify_scoped(pending);
  } else {
    verify_global(pending);
  }
}

void StripeWebhookVerifier::verify_scoped(const std::shared_ptr<Pending>& pending) {
  const auto judge_anew = [pending](const Endpoint& tried, const Error& reason, const Result<Endpoint>& newest) {
    if (!newest) {
      pending->refuse(to_answer(newest.error()));
    } else if (*newest == tried) {
      pending->refuse(reason);
    } else if (auto valid = pending->check_signature((*newest)->webhook_secrets); !valid) {
      pending->refuse(valid.error());
    } else {
      pending->accept(*newest);
    }
  };
  const auto judge = [pending, judge_anew, connections = connections_](const Result<Endpoint>& known) mutable {
    if (!known) {
      pending->refuse(to_answer(known.error()));
    } else if (auto valid = pending->check_signature((*known)->webhook_secrets); valid) {
      pending->accept(*known);
    } else {
      // The secret may have been rolled by another process since it was read.
      connections.refresh(*pending->delivery.scope,
                          [judge_anew, tried = *known, reason = valid.error()](const Result<Endpoint>& newest) {
                            judge_anew(tried, reason, newest);
                          });
    }
  };
  connections_.find(*pending->delivery.scope, judge);
}

void StripeWebhookVerifier::verify_global(const std::shared_ptr<Pending>& pending) {
  if (auto valid = pending->check_signature(global_secrets_); !valid) {
    pending->refuse(valid.error());
    return;
  }
  auto envelope = stripe::parse_envelope(pending->delivery.body);
  if (!envelope) {
    pending->refuse(envelope.error());
    return;
  }
  const auto account = envelope->account;
  const auto livemode = envelope->livemode;
  const auto shared = std::make_shared<stripe::Envelope>(std::move(*envelope));
  connections_.find_global(account, livemode, [pending, shared](const Result<store::EventOwner>& owner) {
    if (!owner) {
      pending->refuse(to_answer(owner.error()));
    } else {
      pending->deliver(std::move(*shared), owner->scope.value_or(kUnclaimedScope), owner->reason);
    }
  });
}

}  // namespace flexsync::app
