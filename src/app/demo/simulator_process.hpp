// stripe-sim, found beside this program, as a child that ends with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace flexsync::app::demo {

class SimulatorProcess {
 public:
  // Returns once it listens. To be called before any thread starts. Throws Failure.
  explicit SimulatorProcess(const std::filesystem::path& log);
  ~SimulatorProcess();
  SimulatorProcess(const SimulatorProcess&) = delete;
  SimulatorProcess& operator=(const SimulatorProcess&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace flexsync::app::demo
