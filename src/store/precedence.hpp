// Who goes first when intake and application want the same cores and disk.
//
// Stripe waits for an acknowledgement, and resends what takes too long; nobody waits for an application. Left to the
// operating system both get half, and a backlog that is drained doubles the latency of every webhook. So while
// webhooks wait to be stored, the applying writer rests after each commit for a multiple of what the commit took: it
// keeps a fixed share, and all of the machine as soon as intake is quiet.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace flexsync::store {

class Precedence {
 public:
  static constexpr int kRestFactor = 7;                      // an eighth of the time is left to application
  static constexpr std::chrono::milliseconds kRestMax{200};  // however slow a commit was

  void intake_begins() { ++waiting_; }
  void intake_ends(std::size_t count) { waiting_ -= static_cast<long>(count); }

  // How long the applying writer rests after work that took this long.
  std::chrono::microseconds rest_after(std::chrono::microseconds work) const {
    if (waiting_ <= 0) {
      return std::chrono::microseconds(0);
    }
    return std::min<std::chrono::microseconds>(kRestFactor * work, kRestMax);
  }

 private:
  std::atomic<long> waiting_ = 0;
};

}  // namespace flexsync::store
