// The actor system and its root, for those who must not know CAF.
#pragma once

#include <functional>
#include <memory>

#include "actors/services.hpp"
#include "domain/commands.hpp"
#include "domain/ids.hpp"
#include "stripe/call.hpp"
#include "stripe/outcome.hpp"

namespace flexsync::actors {

struct SchedulerConfig {
  int threads = 0;           // 0: as many as the machine has cores
  int max_throughput = 100;  // messages an actor handles before its neighbours get their turn
};

// The system outlives stop(): late answers of store and transport threads still find it. So an Engine is made before
// the services it works with, and destroyed after them.
class Engine {
 public:
  explicit Engine(SchedulerConfig config);
  ~Engine();

  void start(ServicesPtr services);
  void stop();  // every actor has ended when it returns; what was not finished is still in the inbox

  // From any thread: this tenant's inbox has new rows; its parked events were redriven.
  void wake(const Scope& scope);
  void due(const Scope& scope);
  void rekeyed(const Scope& scope);  // its connection was changed

  // From any thread; the reply comes exactly once, on any thread.
  void execute(CustomerCommand command, std::function<void(Result<CustomerReply>)> reply);
  void call(const Scope& scope, stripe::Call call, std::function<void(stripe::CallOutcome)> reply);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::actors
