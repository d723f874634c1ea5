#include "support/scripted_client.hpp"

#include <memory>

namespace flexsync::test {

namespace {

actors::CallOutcomePtr outcome_of(stripe::CallOutcome outcome) {
  return std::make_shared<const stripe::CallOutcome>(std::move(outcome));
}

}  // namespace

void ClientScript::release() {
  caf::anon_send(actor_, actors::tick_atom::value);  // a promise is delivered only by the actor that made it
}

actors::stripe_client_actor scripted_client(ActorFixture& fixture, ClientScript& script) {
  using namespace actors;
  script.actor_ = fixture.own(fixture.system.spawn([&script](stripe_client_actor::pointer self) {
    return stripe_client_actor::behavior_type{
        [&script, self](call_atom, const StripeCallPtr& call) {
          auto promise = self->make_response_promise<CallOutcomePtr>();
          script.calls.push_back(*call);
          if (script.holds) {
            script.held_.push_back({*call, promise});
          } else {
            promise.deliver(outcome_of(script.answer(*call)));
          }
          return promise;
        },
        [&script](rekeyed_atom) { ++script.rekeyed; },
        [](keyed_atom, std::uint64_t, const KeyPtr&) {},
        [](answered_atom, std::uint64_t, const HttpResultPtr&) {},
        [&script](tick_atom) {
          auto held = std::move(script.held_.front());
          script.held_.pop_front();
          held.promise.deliver(outcome_of(script.answer(held.call)));
        },
    };
  }));
  return script.actor_;
}

}  // namespace flexsync::test
