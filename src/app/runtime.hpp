// The composition root: the parts of the server in start order; stopping is the reverse.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "domain/error.hpp"

namespace flexsync::app {

class Runtime {
 public:
  // `announce` is told, in sentences, what a person should know (where keys lie, where the database is).
  static Result<std::unique_ptr<Runtime>> start(const Config& config,
                                                const std::function<void(const std::string&)>& announce);
  ~Runtime();  // stops, if stop() was not called

  std::uint16_t port() const;
  std::uint16_t admin_port() const;

  // No accepted request is lost: no more are accepted, those in flight end, then the parts stop in reverse order.
  // What was stored and not yet applied is applied by the next start.
  void stop(std::chrono::milliseconds deadline);

 private:
  struct Parts;
  explicit Runtime(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace flexsync::app
