// A Stripe client that answers as it is told: every call at once by `answer`, or, while `holds`, when the test says so.
#pragma once

#include <caf/typed_response_promise.hpp>
#include <deque>
#include <functional>
#include <vector>

#include "support/actor_fixture.hpp"

namespace flexsync::test {

struct ClientScript {
  bool holds = false;
  std::function<stripe::CallOutcome(const stripe::Call&)> answer;
  std::vector<stripe::Call> calls;
  int rekeyed = 0;

  std::size_t waiting() const { return held_.size(); }
  // The oldest held call, answered by `answer`.
  void release();

 private:
  friend actors::stripe_client_actor scripted_client(ActorFixture& fixture, ClientScript& script);
  struct Held {
    stripe::Call call;
    caf::typed_response_promise<actors::CallOutcomePtr> promise;
  };
  std::deque<Held> held_;
  actors::stripe_client_actor actor_;
};

actors::stripe_client_actor scripted_client(ActorFixture& fixture, ClientScript& script);

}  // namespace flexsync::test
