// Who goes first when intake and application want the same cores and disk.
//
// Stripe waits for an acknowledgement, and resends what takes too long; nobody waits for an application. Left to the
// operating system both get half, and a backlog that is drained doubles the latency of every webhook. So while
// webhooks wait to be stored, the applying writer rests after each commit for a multiple of what the commit took: it
// keeps a share that is the smaller the more of them wait, and all of the machine as soon as intake is quiet. One or
// two always wait, at any rate: they are not a crowd, and to rest for them would make what arrives visible late.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace flexsync::store {

class Precedence {
 public:
  static constexpr int kRestFactor = 7;                      // in a crowd an eighth of the time is left to application
  static constexpr long kCrowd = 6;                          // so many waiting webhooks are one
  static constexpr std::chrono::milliseconds kRestMax{200};  // however slow a commit was

  void intake_begins() { ++waiting_; }
  void intake_ends(std::size_t count) { waiting_ -= static_cast<long>(count); }

  // How long the applying writer rests after work that took this long.
  std::chrono::microseconds rest_after(std::chrono::microseconds work) const {
    const auto waiting = std::clamp(waiting_.load(), 0L, kCrowd);
    return std::min<std::chrono::microseconds>(work * kRestFactor * waiting / kCrowd, kRestMax);
  }

 private:
  std::atomic<long> waiting_ = 0;
};

}  // namespace flexsync::store
