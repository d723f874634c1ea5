// One client's connection on one I/O thread: reads a request, hands it on, writes the answer, reads the next.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "http/dispatcher.hpp"
#include "http/io_thread.hpp"
#include "http/server.hpp"

namespace flexsync::http {

// What the connections of one listener share; outlives them.
class Listener {
 public:
  Listener(const ServerConfig& server_config, const Dispatcher& to, const Clock& time, prometheus::Gauge& gauge,
           int limit)
      : config(server_config), dispatcher(to), clock(time), open_connections(gauge), connections_max(limit) {}

  const ServerConfig& config;
  const Dispatcher& dispatcher;
  const Clock& clock;
  prometheus::Gauge& open_connections;
  const int connections_max;
  std::atomic<int> connections = 0;
  std::atomic<bool> draining = false;

  // A connection has ended. Wakes whoever waits for the last one.
  void release();
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
};

// On `thread`: starts reading; the connection lives until it closes. `listener.connections` counts it already.
void open_connection(IoThread& thread, boost::asio::ip::tcp::socket socket, Listener& listener);

}  // namespace flexsync::http
