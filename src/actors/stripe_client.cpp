#include "actors/stripe_client.hpp"

#include <caf/all.hpp>

#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

RetrieveOutcomePtr outcome_of(stripe::RetrieveOutcome outcome) {
  return std::make_shared<const stripe::RetrieveOutcome>(std::move(outcome));
}

// Runs on the threads of the connection cache and the transport; the result goes home as a message.
void call_stripe(const ServicesPtr& services, const Scope& scope, const std::string& object_type, const StripeId& id,
                 const std::function<void(stripe::RetrieveOutcome)>& done) {
  services->stripe_key(scope, [services, object_type, id, done](Result<Secret> key) {
    if (!key) {
      done(stripe::RetryLater{key.error().message});
      return;
    }
    if (key->empty()) {
      done(stripe::CannotAsk{"the connection has no Stripe secret key"});
      return;
    }
    auto request = stripe::retrieve_request(object_type, id, *key, services->config.stripe_timeout);
    services->transport.send(std::move(request), [services, done](const stripe::HttpResult& result) {
      done(stripe::classify_retrieve(result, services->clock.now()));
    });
  });
}

}  // namespace

stripe_client_state::~stripe_client_state() {
  for (auto& [call, outstanding] : outstanding_) {
    outstanding.deliver(outcome_of(stripe::RetryLater{"the Stripe client stopped"}));
  }
}

void stripe_client_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  metrics.emplace(services->metrics, name);
}

stripe_client_state::promise stripe_client_state::fetch(const std::string& object_type, const StripeId& id) {
  auto answer = self->make_response_promise<RetrieveOutcomePtr>();
  if (outstanding_.size() >= services->config.stripe_calls_max) {
    answer.deliver(outcome_of(stripe::RetryLater{"too many calls to Stripe are in flight"}));
    return answer;
  }
  const auto call = ++calls_;
  outstanding_.emplace(call, answer);
  call_stripe(services, scope, object_type, id,
              [home = stripe_client_actor{self}, call](stripe::RetrieveOutcome outcome) {
                caf::anon_send(home, fetched_atom::value, call, outcome_of(std::move(outcome)));
              });
  return answer;
}

void stripe_client_state::on_fetched(std::uint64_t call, const RetrieveOutcomePtr& outcome) {
  static constexpr std::array kNames = {"found", "not_found", "cannot_ask", "retry_later"};
  services->metrics.stripe_calls(kNames.at(outcome->index())).Increment();
  const auto found = outstanding_.find(call);
  if (found != outstanding_.end()) {
    found->second.deliver(outcome);
    outstanding_.erase(found);
  }
}

stripe_client_actor::behavior_type stripe_client(stripe_client_state::pointer self, ServicesPtr services, Scope scope) {
  auto& state = self->state;
  state.init(self, std::move(services), std::move(scope));
  return {
      [&state, self](fetch_atom, const std::string& object_type, const StripeId& id) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        return state.fetch(object_type, id);
      },
      [&state](fetched_atom, std::uint64_t call, const RetrieveOutcomePtr& outcome) {
        state.on_fetched(call, outcome);
      },
  };
}

}  // namespace flexsync::actors
