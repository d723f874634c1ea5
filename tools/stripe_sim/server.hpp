// The HTTP/1.1 server: Beast, hidden in server.cpp because it takes its time to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

class Server {
 public:
  // Called on one of the server's threads; answers through the responder, now or later.
  using Handler = std::function<void(HttpRequest, Responder)>;

  // Listens at once; throws std::runtime_error saying what to do when it cannot. Port 0: the system chooses.
  Server(const std::string& address, std::uint16_t port, int threads, Handler handler);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stripe_sim
