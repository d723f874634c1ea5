#include "stripe_sim/webhooks/dispatcher.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/random.hpp"
#include "stripe_sim/webhooks/signature.hpp"

namespace stripe_sim {

namespace {

constexpr int kLoopWaitMsMax = 1'000;

std::chrono::milliseconds retry_delay(const DeliverySettings& settings, const Delivery& delivery,
                                      const FaultPlan& faults) {
  double delay_ms = settings.retry_base_ms;
  for (int i = 1; i < delivery.attempt && delay_ms < settings.retry_cap_ms; ++i) {
    delay_ms *= 2;
  }
  delay_ms = std::min<double>(delay_ms, settings.retry_cap_ms);
  const double jitter = faults.roll("retry " + delivery.event.id + " " + std::to_string(delivery.attempt));
  return std::chrono::milliseconds(static_cast<int>(delay_ms * (0.75 + 0.25 * jitter)));
}

}  // namespace

Dispatcher::Dispatcher(const Clock& clock, std::uint64_t seed, DeliverySettings settings)
    : clock_(clock), settings_(settings), faults_(seed), thread_([this] { run(); }) {}

Dispatcher::~Dispatcher() {
  stop();
}

void Dispatcher::stop() {
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  sender_.wake();
  thread_.join();
  idle_waiters_.clear();
}

void Dispatcher::publish(const std::string& event_id, const std::string& type,
                         const std::vector<AddressedBody>& addressed) {
  if (addressed.empty()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [target_id, body] : addressed) {
      const EventRef event{event_id, type, body};
      const Fate fate = faults_.decide(event, target_id);
      Delivery delivery;
      delivery.number = ++last_number_;
      delivery.event = event;
      delivery.target_id = target_id;
      pending_[event.id].insert(target_id);
      if (fate.duplicate) {
        Delivery copy = delivery;
        copy.number = ++last_number_;
        copy.duplicate = true;
        place(std::move(delivery), fate, fate.wait);
        place(std::move(copy), fate, fate.copy_wait);
      } else {
        place(std::move(delivery), fate, fate.wait);
      }
    }
  }
  sender_.wake();
}

void Dispatcher::place(Delivery delivery, const Fate& fate, const Wait& wait) {
  delivery.drops_left = fate.drops;
  delivery.lost_on_drop = fate.lost_on_drop;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (fate.hold) {
    queue_.hold(std::move(delivery));
  } else if (wait.clock_s > 0) {
    delivery.due_unix = clock_.now() + wait.clock_s;
    queue_.push_until_clock(std::move(delivery));
  } else if (wait.overtaken_by > 0) {
    delivery.overtaken_by = wait.overtaken_by;
    delivery.due = now + std::chrono::milliseconds(settings_.reorder_wait_ms);
    queue_.push_until_overtaken(std::move(delivery));
  } else if (wait.delay_ms > 0) {
    delivery.due = now + std::chrono::milliseconds(wait.delay_ms);
    queue_.push_until_due(std::move(delivery));
  } else {
    queue_.push(std::move(delivery));
  }
}

void Dispatcher::resend(const std::string& event_id, const std::string& type,
                        const std::vector<AddressedBody>& addressed) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [target_id, body] : addressed) {
      Delivery delivery;
      delivery.number = ++last_number_;
      delivery.event = {event_id, type, body};
      delivery.target_id = target_id;
      delivery.resent = true;
      queue_.push(std::move(delivery));
    }
  }
  sender_.wake();
}

void Dispatcher::run() {
  while (true) {
    std::vector<Outgoing> ready;
    std::vector<std::function<void()>> calls;
    int wait = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return;
      }
      const SteadyTime now = std::chrono::steady_clock::now();
      ready = take_ready(now);
      answer_idle_waiters(now, calls);
      wait = wait_ms(now);
    }
    for (const auto& call : calls) {
      call();
    }
    for (Outgoing& outgoing : ready) {
      sender_.start(outgoing.number, std::move(outgoing.post));
    }
    const std::vector<PostResult> results = sender_.run_once(wait);
    const std::lock_guard lock(mutex_);
    for (const PostResult& result : results) {
      finish(result);
    }
  }
}

std::vector<Dispatcher::Outgoing> Dispatcher::take_ready(SteadyTime now) {
  std::vector<Outgoing> ready;
  while (in_flight_.size() < static_cast<std::size_t>(settings_.concurrency)) {
    auto delivery = queue_.take(now, clock_.now());
    if (!delivery) {
      break;
    }
    Outgoing outgoing{delivery->number, {}};
    if (prepare(*delivery, outgoing)) {
      ready.push_back(std::move(outgoing));
      in_flight_.emplace(delivery->number, std::move(*delivery));
    }
  }
  return ready;
}

// False: this attempt is over before anything was sent.
bool Dispatcher::prepare(Delivery& delivery, Outgoing& outgoing) {
  ++delivery.attempt;
  const auto target = targets_.find(delivery.target_id);
  if (target == targets_.end() || !target->second.enabled) {
    log_.add(delivery, "no_endpoint", 0, "the endpoint was deleted or disabled");
    settle(delivery);
    go_on(delivery);
    return false;
  }
  if (delivery.drops_left > 0 || faults_.drops_attempt(delivery)) {
    delivery.drops_left = std::max(0, delivery.drops_left - 1);
    if (delivery.lost_on_drop) {
      // Stays pending for ever: as with Stripe, only the list of events tells of it.
      log_.add(delivery, "lost", 0, "dropped as a fault, for good");
      keep_undelivered(delivery, "lost");
      go_on(delivery);
    } else {
      fail(std::move(delivery), "dropped", 0, "dropped as a fault");
    }
    return false;
  }
  const std::int64_t time = settings_.sign_with_sim_clock ? clock_.now() : real_unix_seconds();
  outgoing.post.url = target->second.url;
  outgoing.post.body = delivery.event.body;
  outgoing.post.timeout_ms = settings_.timeout_ms;
  outgoing.post.headers = {"Content-Type: application/json; charset=utf-8",
                           "User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                           "Accept: */*; q=0.5, application/xml",
                           "Cache-Control: no-cache",
                           "Expect:",
                           "Stripe-Signature: " + signature_header(target->second.secrets, time, *delivery.event.body)};
  return true;
}

void Dispatcher::finish(const PostResult& result) {
  const auto found = in_flight_.find(result.number);
  Delivery delivery = std::move(found->second);
  in_flight_.erase(found);
  if (result.status >= 200 && result.status < 300) {
    log_.add(delivery, "delivered", result.status, {});
    settle(delivery);
    go_on(delivery);
    return;
  }
  fail(std::move(delivery), "failed", result.status,
       result.error.empty() ? "answered " + std::to_string(result.status) : result.error);
}

void Dispatcher::fail(Delivery delivery, std::string outcome, int status, std::string error) {
  go_on(delivery);
  if (delivery.attempt >= settings_.tries_max) {
    log_.add(delivery, "given_up", status, std::move(error));
    keep_undelivered(delivery, "given_up");
    return;
  }
  log_.add(delivery, std::move(outcome), status, std::move(error));
  delivery.due = std::chrono::steady_clock::now() + retry_delay(settings_, delivery, faults_);
  queue_.push_until_due(std::move(delivery));
}

// A copy that is given up takes nothing back from the one that arrived.
void Dispatcher::keep_undelivered(const Delivery& delivery, const char* outcome) {
  const auto pending = pending_.find(delivery.event.id);
  if (pending != pending_.end() && pending->second.contains(delivery.target_id)) {
    undelivered_[{delivery.event.id, delivery.target_id}] = {delivery.number, delivery.event.type, outcome};
  }
}

void Dispatcher::settle(const Delivery& delivery) {
  undelivered_.erase({delivery.event.id, delivery.target_id});
  const auto pending = pending_.find(delivery.event.id);
  if (pending != pending_.end()) {
    pending->second.erase(delivery.target_id);
    if (pending->second.empty()) {
      pending_.erase(pending);
    }
  }
}

// After every attempt, whatever came of it: its followers get their turn.
void Dispatcher::go_on(Delivery& delivery) {
  queue_.count_overtaking(delivery.target_id);
  const auto chain = std::exchange(delivery.chain, nullptr);
  if (chain && !chain->empty()) {
    Delivery next = std::move(chain->front());
    chain->pop_front();
    --chained_;
    next.chain = chain;
    queue_.push_first(std::move(next));
  }
}

void Dispatcher::answer_idle_waiters(SteadyTime now, std::vector<std::function<void()>>& calls) {
  const bool is_idle = idle();
  for (auto waiter = idle_waiters_.begin(); waiter != idle_waiters_.end();) {
    if (is_idle || waiter->deadline <= now) {
      calls.emplace_back(
          [callback = std::move(waiter->callback), is_idle, numbers = counts()] { callback(is_idle, numbers); });
      waiter = idle_waiters_.erase(waiter);
    } else {
      ++waiter;
    }
  }
}

int Dispatcher::wait_ms(SteadyTime now) const {
  SteadyTime until = now + std::chrono::milliseconds(kLoopWaitMsMax);
  const bool has_room = in_flight_.size() < static_cast<std::size_t>(settings_.concurrency);
  if (const auto due = queue_.next_due(); due && has_room) {
    until = std::min(until, *due);
  }
  for (const IdleWaiter& waiter : idle_waiters_) {
    until = std::min(until, waiter.deadline);
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::max(until, now) - now);
  return static_cast<int>(wait.count());
}

}  // namespace stripe_sim
