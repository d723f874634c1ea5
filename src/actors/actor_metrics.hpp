// What every actor reports: live count, messages, handling time, mailbox depth, by kind.
#pragma once

#include <chrono>

#include "telemetry/metrics.hpp"

namespace flexsync::actors {

// Lives in an actor's state: its life is the actor's.
class ActorMetrics {
 public:
  ActorMetrics(Metrics& metrics, const char* kind)
      : live_(metrics.actor_live(kind)),
        messages_(metrics.actor_messages(kind)),
        mailbox_(metrics.actor_mailbox(kind)),
        seconds_(metrics.actor_handling_seconds(kind)) {
    live_.Increment();
  }
  ~ActorMetrics() { live_.Decrement(); }
  ActorMetrics(const ActorMetrics&) = delete;
  ActorMetrics& operator=(const ActorMetrics&) = delete;

  // Lives as long as one message is handled.
  class Handling {
   public:
    Handling(ActorMetrics& metrics, std::size_t mailbox_depth) : metrics_(metrics) {
      metrics_.messages_.Increment();
      metrics_.mailbox_.Set(static_cast<double>(mailbox_depth));
    }
    ~Handling() {
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin_;
      metrics_.seconds_.Observe(taken.count());
    }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

   private:
    ActorMetrics& metrics_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  };

 private:
  prometheus::Gauge& live_;
  prometheus::Counter& messages_;
  prometheus::Gauge& mailbox_;
  prometheus::Histogram& seconds_;
};

}  // namespace flexsync::actors
