#include "actors/stripe_client.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

using stripe::CallOutcome;

constexpr std::chrono::milliseconds kTickMin{1};

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
}

void stripe_client_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  metrics.emplace(services->metrics, name);
  breaker_.emplace(services->config.stripe_breaker);
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
  const auto found = works_.find(id);
  if (found == works_.end()) {
    return;
  }
  auto& work = found->second;
  if (!key) {
    finish(id, stripe::RetryLater{key.error().message, now()});
    return;
  }
  if (key->empty()) {
    finish(id, stripe::NotConnected{"the connection has no Stripe secret key"});
    return;
  }
  if (key->reveal() != key_.reveal()) {
    key_ = *key;
    limiter_.emplace(services->config.stripe_rates, is_live(key_));
    paused_ = false;
  }
  if (paused_ && now() < next_probe_) {
    finish(id, stripe::NotConnected{paused_reason_});
    return;
  }
  if (paused_) {
    work.probes = true;
    next_probe_ = now() + services->config.stripe_probe_interval;
  } else if (breaker_->state(now()) == stripe::CircuitBreaker::State::open) {
    finish(id, stripe::RetryLater{"Stripe is not asked after failures in a row", breaker_->open_until()});
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

void stripe_client_state::on_rekeyed() {
  paused_ = false;
  key_ = Secret{};
  breaker_->on_success();
  show_state();
}

// --- what may go, goes --------------------------------------------------------------------------------------------

// Higher lanes first. A call that has to wait does not hold up those to other endpoints behind it.
void stripe_client_state::pump() {
  for (auto& lane : lanes_) {
    for (auto entry = lane.begin(); entry != lane.end() && in_flight_ < services->config.stripe_calls_max;) {
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
  send(id, work);
  return true;
}

void stripe_client_state::send(std::uint64_t id, Work& work) {
  work.in_flight = true;
  ++in_flight_;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(work.deadline - now());
  const auto timeout = std::clamp(left, kTickMin, services->config.stripe_timeout);
  services->transport.send(
      request_of(*work.call, key_, timeout), [home = stripe_client_actor{self}, id](stripe::HttpResult result) {
        caf::anon_send(home, answered_atom::value, id, std::make_shared<const stripe::HttpResult>(std::move(result)));
      });
}

// --- what comes back ----------------------------------------------------------------------------------------------

void stripe_client_state::on_answered(std::uint64_t id, const stripe::HttpResult& result) {
  const auto found = works_.find(id);
  if (found == works_.end()) {
    return;
  }
  auto& work = found->second;
  work.in_flight = false;
  --in_flight_;
  if (result) {
    services->metrics.stripe_call_seconds().Observe(std::chrono::duration<double>(result->duration).count());
  }
  const auto verdict = stripe::classify(result, *work.call, now());
  learn(work, verdict);
  if (const auto* refused = std::get_if<stripe::NotConnected>(&verdict.outcome)) {
    finish(id, *refused);
    pause(refused->reason);
  } else {
    retry_or_answer(id, work, verdict);
  }
  show_state();
  pump();
}

void stripe_client_state::learn(const Work& work, const stripe::Verdict& verdict) {
  if (verdict.limited != stripe::Limited::no) {
    limiter_->on_limited(work.call->endpoint, verdict.limited, now());
  }
  if (verdict.unhealthy) {
    breaker_->on_failure(now());
  } else {
    breaker_->on_success();
  }
  if (work.probes && !verdict.unhealthy && !std::holds_alternative<stripe::NotConnected>(verdict.outcome)) {
    log::info("the Stripe connection works again", {{"tenant_id", scope.tenant.str()}});
    paused_ = false;
  }
}

void stripe_client_state::retry_or_answer(std::uint64_t id, Work& work, const stripe::Verdict& verdict) {
  if (const auto* unknown = std::get_if<stripe::Unknown>(&verdict.outcome)) {
    const bool stored = unknown->stored || (work.unknown && work.unknown->stored);
    work.unknown = stripe::Unknown{unknown->reason, stored};
    work.last_reason = unknown->reason;
  } else if (const auto* later = std::get_if<stripe::RetryLater>(&verdict.outcome)) {
    work.last_reason = later->reason;
  } else {
    finish(id, verdict.outcome);
    return;
  }
  const auto pause = stripe::retry_after(services->config.stripe_retries, verdict, work.retries, id);
  const bool open = breaker_->state(now()) == stripe::CircuitBreaker::State::open;
  if (!pause || open || work.probes || now() + *pause >= work.deadline) {
    finish(id, unfinished(work, work.last_reason, open ? breaker_->open_until() : now() + pause.value_or(kTickMin)));
    if (open) {
      give_up_waiting(breaker_->open_until(), "Stripe is not asked after failures in a row");
    }
    return;
  }
  ++work.retries;
  work.not_before = now() + *pause;
  lanes_.at(static_cast<std::size_t>(work.call->lane)).push_front(id);
  wake_at(work.not_before);
}

// What waits here could only wait longer: its callers know better what to do with the time.
void stripe_client_state::give_up_waiting(Timestamp not_before, const std::string& reason) {
  for (auto& lane : lanes_) {
    for (const auto id : std::exchange(lane, {})) {
      if (const auto found = works_.find(id); found != works_.end()) {
        finish(id, paused_ ? CallOutcome(stripe::NotConnected{reason}) : unfinished(found->second, reason, not_before));
      }
    }
  }
}

void stripe_client_state::pause(const std::string& reason) {
  if (!paused_) {
    log::error("the Stripe connection is paused",
               {{"tenant_id", scope.tenant.str()}, {"environment_id", scope.environment.str()}, {"reason", reason}});
    next_probe_ = now() + services->config.stripe_probe_interval;
  }
  paused_ = true;
  paused_reason_ = reason;
  give_up_waiting(next_probe_, reason);
}

CallOutcome stripe_client_state::unfinished(const Work& work, const std::string& reason, Timestamp not_before) const {
  if (work.unknown) {
    return *work.unknown;
  }
  if (work.in_flight) {
    return stripe::Unknown{reason, false};
  }
  return stripe::RetryLater{reason, not_before};
}

void stripe_client_state::finish(std::uint64_t id, CallOutcome outcome) {
  static constexpr std::array kNames = {"answered", "not_found", "refused", "not_connected", "retry_later", "unknown"};
  services->metrics.stripe_calls(kNames.at(outcome.index())).Increment();
  auto work = works_.extract(id);
  work.mapped().answer.deliver(std::make_shared<const CallOutcome>(std::move(outcome)));
}

// --- time ---------------------------------------------------------------------------------------------------------

// One tick is on its way at most that matters: the earliest. Later ones find nothing to do.
void stripe_client_state::wake_at(Timestamp at) {
  if (tick_at_ && *tick_at_ <= at) {
    return;
  }
  tick_at_ = at;
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(at - now());
  self->delayed_send(self, std::max(pause, kTickMin), tick_atom::value);
}

void stripe_client_state::on_tick() {
  if (tick_at_ && *tick_at_ <= now()) {
    tick_at_.reset();
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
