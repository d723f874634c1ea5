#include "actors/stripe_client.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

using stripe::CallOutcome;

constexpr std::chrono::milliseconds kTickMin{1};
constexpr std::uint64_t kNoCall = 0;  // the key was looked up for those that wait
constexpr const char* kNoKey = "the connection has no Stripe secret key";
constexpr const char* kBreakerOpen = "Stripe is not asked after failures in a row";

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

// Stripe's own word on the call itself, for which it has to know who asks.
bool is_certain(const CallOutcome& outcome) {
  return std::holds_alternative<stripe::Answered>(outcome) || std::holds_alternative<stripe::NotFound>(outcome) ||
         std::holds_alternative<stripe::Refused>(outcome);
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
    services->metrics.stripe_seconds().Observe(std::chrono::duration<double>(result->duration).count());
  }
  const auto verdict = stripe::classify(result, *work.call, now());
  learn(work, verdict);
  const auto* refused = std::get_if<stripe::NotConnected>(&verdict.outcome);
  if (refused != nullptr && work.sent_with != keys_ && !paused_ && !key_.empty()) {
    again_at(id, work, now());  // it was the former key that is not accepted
  } else if (refused != nullptr) {
    finish(id, unless_unknown(work, *refused));
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
    breaker_->on_failure(now(), work.tries_breaker);
  } else if (verdict.limited == stripe::Limited::no) {
    breaker_->on_success();
  } else if (work.tries_breaker) {
    breaker_->on_no_verdict();
  }
  if (work.probes && paused_ && is_certain(verdict.outcome)) {
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
  } else if (verdict.repeat == stripe::Repeat::never) {
    finish(id, verdict.outcome);
    return;
  }
  const auto pause = stripe::retry_after(services->config.stripe_retries, verdict, work.retries, id);
  const bool open = breaker_->state(now()) == stripe::CircuitBreaker::State::open;
  const bool cut_off = paused_ || key_.empty();
  if (pause && !open && !cut_off && now() + *pause < work.deadline) {
    ++work.retries;
    again_at(id, work, now() + *pause);
    return;
  }
  if (is_certain(verdict.outcome)) {
    finish(id, verdict.outcome);
  } else if (cut_off) {
    finish(id, unless_unknown(work, stripe::NotConnected{paused_ ? paused_reason_ : kNoKey}));
  } else {
    const std::chrono::milliseconds wanted = verdict.retry_after.value_or(std::chrono::seconds{0});
    const auto later = now() + std::max(pause.value_or(kTickMin), wanted);
    finish(id, unfinished(work, work.last_reason, open ? std::max(later, breaker_->open_until()) : later));
  }
  if (open) {
    give_up_waiting(stripe::RetryLater{kBreakerOpen, breaker_->open_until()});
  }
}

void stripe_client_state::again_at(std::uint64_t id, Work& work, Timestamp at) {
  work.not_before = at;
  lanes_.at(static_cast<std::size_t>(work.call->lane)).push_front(id);
  wake_at(at);
}

// What waits here could only wait longer: its callers know better what to do with the time.
void stripe_client_state::give_up_waiting(const CallOutcome& outcome) {
  for (auto& lane : lanes_) {
    for (const auto id : std::exchange(lane, {})) {
      if (const auto found = works_.find(id); found != works_.end()) {
        finish(id, unless_unknown(found->second, outcome));
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
  give_up_waiting(stripe::NotConnected{reason});
}

// Whatever comes after an attempt that may have been carried out, nobody can tell until it is repeated with success.
CallOutcome stripe_client_state::unless_unknown(const Work& work, CallOutcome outcome) {
  return work.unknown ? CallOutcome(*work.unknown) : std::move(outcome);
}

CallOutcome stripe_client_state::unfinished(const Work& work, const std::string& reason, Timestamp not_before) {
  if (work.in_flight && !work.unknown) {
    return stripe::Unknown{reason, false};
  }
  return unless_unknown(work, stripe::RetryLater{reason, not_before});
}

void stripe_client_state::finish(std::uint64_t id, CallOutcome outcome) {
  static constexpr std::array kNames = {"answered", "not_found", "refused", "not_connected", "retry_later", "unknown"};
  services->metrics.stripe_calls(kNames.at(outcome.index())).Increment();
  auto work = works_.extract(id);
  work.mapped().answer.deliver(std::make_shared<const CallOutcome>(std::move(outcome)));
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
