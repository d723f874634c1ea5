// One request that waits for its answer.
//
// The problem: the answer comes from another thread, perhaps twice (a timeout and the real one), or never (a handler
// dies and takes its callback with it), and a client that is never answered hangs. So whoever holds the exchange may
// answer from any thread, the first answer wins, and when the last holder lets go without one, the client gets 503.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "domain/error.hpp"
#include "http/message.hpp"

namespace flexsync::http {

class Exchange {
 public:
  // Takes the answer to the connection; called once, on the thread that answers.
  using Deliver = std::function<void(Response)>;

  explicit Exchange(Deliver deliver);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // False when somebody has answered before; then nothing happens.
  bool reply(Response response);
  bool reply(const Error& error);

 private:
  std::atomic<bool> answered_ = false;
  Deliver deliver_;
};

using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace flexsync::http
