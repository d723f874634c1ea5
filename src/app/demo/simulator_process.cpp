#include "app/demo/simulator_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/demo/patience.hpp"
#include "store/child_process.hpp"

namespace flexsync::app::demo {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kStopTimeout{5};

fs::path program() {
  std::error_code failed;
  const auto own = fs::read_symlink("/proc/self/exe", failed);
  auto beside = own.parent_path() / "stripe-sim";
  if (failed || access(beside.c_str(), X_OK) != 0) {
    throw Failure("the demo needs the program stripe-sim beside " + own.string() +
                  ": build it with `cmake --build --preset release --target stripe_sim`");
  }
  return beside;
}

// A session of its own, so that Ctrl-C is the demo's to handle; it ends when the demo is killed.
[[noreturn]] void become(const char* path, int output) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  // The story uses these keys only, and quick retries, so that nobody waits for them.
  const std::array<const char*, 5> arguments = {path, "--seed", "2026", "--retry-base-ms=150", nullptr};
  execv(path, const_cast<char* const*>(arguments.data()));
  _exit(127);
}

// The port of its first line {"address": …, "port": …}; 0 while that is not there.
std::uint16_t announced_port(const fs::path& log) {
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("port")) {
      return json["port"].get<std::uint16_t>();
    }
  }
  return 0;
}

}  // namespace

SimulatorProcess::SimulatorProcess(const fs::path& log) {
  const auto path = program();
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) {
    throw Failure("cannot write " + log.string() + ": " + std::strerror(errno));
  }
  pid_ = fork();
  if (pid_ == 0) {
    become(path.c_str(), output);
  }
  close(output);
  wait_until("stripe-sim to listen (its log: " + log.string() + ")", [&] {
    if (!store::is_alive(pid_)) {
      throw Failure(path.string() + " ended at once");
    }
    port_ = announced_port(log);
    return port_ != 0;
  });
}

SimulatorProcess::~SimulatorProcess() {
  if (!store::is_alive(pid_)) {
    return;
  }
  kill(pid_, SIGTERM);
  if (!store::wait_for_end(pid_, kStopTimeout)) {
    kill(pid_, SIGKILL);
    store::wait_for_end(pid_, kStopTimeout);
  }
}

}  // namespace flexsync::app::demo
