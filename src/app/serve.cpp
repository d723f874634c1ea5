#include "app/serve.hpp"

#include <chrono>
#include <csignal>
#include <iostream>

#include "app/runtime.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::app {

namespace {

// With the embedded database's own deadline (app/database.cpp): exit within 10 s of SIGTERM.
constexpr std::chrono::milliseconds kDrainDeadline{5'000};

// Blocked before any thread starts, so that only sigwait() below sees them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

}  // namespace

int serve(const Config& config) {
  if (const auto fault = failpoint::arm_from_environment()) {
    std::cerr << "flexsync: FLEXSYNC_FAILPOINT_PLAN: " << *fault << '\n';
    return 2;
  }
  const auto signals = block_signals();
  log::configure(log::parse_level(config.log.level), log::parse_format(config.log.format));
  auto runtime = Runtime::start(config, [](const std::string& sentence) { log::info(sentence); });
  if (!runtime) {
    std::cerr << "flexsync: " << runtime.error().message << '\n';
    return runtime.error().code == ErrorCode::validation_error ? 2 : 1;
  }
  log::info("listening", {{"port", (*runtime)->port()}, {"admin_port", (*runtime)->admin_port()}});
  std::cout << R"({"event":"listening","port":)" << (*runtime)->port() << R"(,"admin_port":)"
            << (*runtime)->admin_port() << "}" << std::endl;
  int received = 0;
  sigwait(&signals, &received);
  log::info("draining", {{"signal", received}});
  (*runtime)->stop(kDrainDeadline);
  log::info("stopped");
  return 0;
}

}  // namespace flexsync::app
