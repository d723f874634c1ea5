#include "app/demo/patience.hpp"

#include <chrono>
#include <ctime>

namespace flexsync::app::demo {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{20};
constexpr timespec kPollInterval{0, 10'000'000};  // 10 ms

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void block_stop_signals() {
  const auto signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void wait_until(const std::string& what, const std::function<bool()>& condition) {
  const auto signals = stop_signals();
  const auto deadline = SteadyClock::now() + kPatience;
  while (!condition()) {
    if (SteadyClock::now() > deadline) {
      throw Failure("waited " + std::to_string(kPatience.count()) + " s in vain for: " + what);
    }
    if (sigtimedwait(&signals, nullptr, &kPollInterval) > 0) {
      throw Interrupted{};
    }
  }
}

void wait_for_stop() {
  const auto signals = stop_signals();
  int received = 0;
  sigwait(&signals, &received);
}

}  // namespace flexsync::app::demo
