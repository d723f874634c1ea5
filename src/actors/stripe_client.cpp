#include "actors/stripe_client.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

using stripe::CallOutcome;

constexpr std::uint64_t kNoCall = 0;  // the key was looked up for those that wait

bool is_live(const Secret& key) {
  const auto text = key.reveal();
  return text.starts_with("sk_live_") || text.starts_with("rk_live_");
}

stripe::HttpRequest request_of(const stripe::Call& call, const Secret& key, std::chrono::milliseconds timeout) {
  stripe::HttpRequest request;
  request.method = call.method;
  request.path = call.path;
  request.api_key = key;
  request.body = call.body;
  request.timeout = timeout;
  if (!call.idempotency_key.empty()) {
    request.headers["Idempotency-Key"] = call.idempotency_key;
  }
  if (call.method == "POST") {
    request.headers["Content-Type"] = "application/x-www-form-urlencoded";
  }
  return request;
}

}  // namespace

stripe_client_state::~stripe_client_state() {
  for (auto& [id, work] : works_) {
    work.answer.deliver(std::make_shared<const CallOutcome>(unfinished(work, "the Stripe client stopped", {})));
  }
  if (services) {  // who comes next begins anew
    services->metrics.stripe_breaker_open(scope.tenant.str(), scope.environment.str()).Set(0);
    services->metrics.stripe_paused(scope.tenant.str(), scope.environment.str()).Set(0);
  }
}

void stripe_client_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  metrics.emplace(services->metrics, name);
  breaker_.emplace(services->config.stripe_breaker);
  show_state();
}

// --- a call comes, and gets its key -------------------------------------------------------------------------------

stripe_client_state::promise stripe_client_state::call(StripeCallPtr wanted) {
  auto answer = self->make_response_promise<CallOutcomePtr>();
  const auto id = ++calls_;
  Work work;
  work.call = std::move(wanted);
  work.answer = answer;
  work.deadline = now() + services->config.stripe_deadline;
  works_.emplace(id, std::move(work));
  services->stripe_key(scope, [home = stripe_client_actor{self}, id](Result<Secret> key) {
    caf::anon_send(home, keyed_atom::value, id, std::make_shared<const Result<Secret>>(std::move(key)));
  });
  return answer;
}

void stripe_client_state::on_keyed(std::uint64_t id, const Result<Secret>& key) {
  if (key) {
    adopt(*key);
  }
  const auto found = works_.find(id);
  if (found == works_.end()) {
    pump();
    return;
  }
  auto& work = found->second;
  if (!key) {
    finish(id, stripe::RetryLater{key.error().message, now()});
    return;
  }
  if (key->empty()) {
    finish(id, stripe::NotConnected{kNoKey});
    return;
  }
  if (paused_ && now() < next_probe_) {
    finish(id, stripe::NotConnected{paused_reason_});
    return;
  }
  if (paused_) {
    work.probes = true;
    next_probe_ = now() + services->config.stripe_probe_interval;
  } else if (breaker_->state(now()) == stripe::CircuitBreaker::State::open) {
    finish(id, stripe::RetryLater{kBreakerOpen, breaker_->open_until()});
    return;
  }
  auto& lane = lanes_.at(static_cast<std::size_t>(work.call->lane));
  if (lane.size() >= services->config.stripe_queue_max) {
    finish(id, stripe::RetryLater{"too many calls to Stripe wait", now()});
    return;
  }
  lane.push_back(id);
  pump();
}

// Another key may be another account's or mode's, so its limits begin anew. What waits goes out with it.
void stripe_client_state::adopt(const Secret& key) {
  if (key.reveal() == key_.reveal()) {
    return;
  }
  key_ = key;
  ++keys_;
  paused_ = false;
  if (key_.empty()) {
    give_up_waiting(stripe::NotConnected{kNoKey});
  } else {
    limiter_.emplace(services->config.stripe_rates, is_live(key_));
  }
  show_state();
}

void stripe_client_state::on_rekeyed() {
  paused_ = false;
  breaker_->on_success();
  show_state();
  services->stripe_key(scope, [home = stripe_client_actor{self}](Result<Secret> key) {
    caf::anon_send(home, keyed_atom::value, kNoCall, std::make_shared<const Result<Secret>>(std::move(key)));
  });
}

// --- what may go, goes --------------------------------------------------------------------------------------------

// Higher lanes first. A call that has to wait does not hold up those to other endpoints behind it.
void stripe_client_state::pump() {
  for (auto& lane : lanes_) {
    for (auto entry = lane.begin(); entry != lane.end();) {
      const auto id = *entry;
      const auto found = works_.find(id);
      if (found == works_.end()) {
        entry = lane.erase(entry);
      } else if (now() >= found->second.deadline) {
        entry = lane.erase(entry);
        const auto reason = found->second.last_reason.empty() ? "the call waited too long" : found->second.last_reason;
        finish(id, unfinished(found->second, reason, now()));
      } else if (try_send(id, found->second)) {
        entry = lane.erase(entry);
      } else {
        ++entry;
      }
    }
  }
}

bool stripe_client_state::try_send(std::uint64_t id, Work& work) {
  const auto at = now();
  wake_at(work.deadline);
  if (in_flight_ >= services->config.stripe_calls_max) {
    return false;
  }
  if (at < work.not_before) {
    wake_at(work.not_before);
    return false;
  }
  if (!breaker_->admit(at)) {
    wake_at(std::max(breaker_->open_until(), at + std::chrono::milliseconds(100)));
    return false;
  }
  if (const auto ready = limiter_->admit(work.call->endpoint, work.call->lane, at)) {
    breaker_->on_no_verdict();
    wake_at(*ready);
    return false;
  }
  work.tries_breaker = breaker_->is_probing();
  send(id, work);
  return true;
}

void stripe_client_state::send(std::uint64_t id, Work& work) {
  work.in_flight = true;
  work.sent_with = keys_;
  ++in_flight_;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(work.deadline - now());
  const auto timeout = std::clamp(left, kTickMin, services->config.stripe_timeout);
  services->transport.send(
      request_of(*work.call, key_, timeout), [home = stripe_client_actor{self}, id](stripe::HttpResult result) {
        caf::anon_send(home, answered_atom::value, id, std::make_shared<const stripe::HttpResult>(std::move(result)));
      });
}

// --- time ---------------------------------------------------------------------------------------------------------

// A tick is sent only where none is on its way that comes earlier: that one looks again at all that waits.
void stripe_client_state::wake_at(Timestamp at) {
  if (!ticks_.empty() && *ticks_.begin() <= at) {
    return;
  }
  ticks_.insert(at);
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(at - now());
  self->delayed_send(self, std::max(pause, kTickMin), tick_atom::value);
}

// It may be early by our clock, which can be set back: then what still waits asks for another.
void stripe_client_state::on_tick() {
  if (!ticks_.empty()) {
    ticks_.erase(ticks_.begin());
  }
  pump();
}

void stripe_client_state::show_state() {
  const auto& tenant = scope.tenant.str();
  const auto& environment = scope.environment.str();
  const bool open = breaker_->state(now()) != stripe::CircuitBreaker::State::closed;
  services->metrics.stripe_breaker_open(tenant, environment).Set(open ? 1 : 0);
  services->metrics.stripe_paused(tenant, environment).Set(paused_ ? 1 : 0);
}

stripe_client_actor::behavior_type stripe_client(stripe_client_state::pointer self, ServicesPtr services, Scope scope) {
  auto& state = self->state;
  state.init(self, std::move(services), std::move(scope));
  return {
      [&state, self](call_atom, StripeCallPtr wanted) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        return state.call(std::move(wanted));
      },
      [&state](rekeyed_atom) { state.on_rekeyed(); },
      [&state](keyed_atom, std::uint64_t id, const KeyPtr& key) { state.on_keyed(id, *key); },
      [&state, self](answered_atom, std::uint64_t id, const HttpResultPtr& result) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_answered(id, *result);
      },
      [&state](tick_atom) { state.on_tick(); },
  };
}

}  // namespace flexsync::actors
