// What comes back from Stripe: what it teaches, whether the call is made again, what its caller is told.
#include <algorithm>
#include <caf/all.hpp>

#include "actors/stripe_client.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

using stripe::CallOutcome;

namespace {

// Stripe's own word on the call itself, for which it has to know who asks.
bool is_certain(const CallOutcome& outcome) {
  return std::holds_alternative<stripe::Answered>(outcome) || std::holds_alternative<stripe::NotFound>(outcome) ||
         std::holds_alternative<stripe::Refused>(outcome);
}

}  // namespace

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

}  // namespace flexsync::actors
