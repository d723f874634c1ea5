// One event loop, its thread, and the connections that live on it. A connection never leaves its thread, so nothing
// in it needs a lock.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include "domain/clock.hpp"

namespace flexsync::http {

using Deadline = std::chrono::steady_clock::time_point;

// A connection, as its thread sees it.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  // Regularly: act on a deadline that has passed, or close because the server drains.
  virtual void sweep(Deadline now) = 0;
  // Close at once.
  virtual void abort() = 0;
};

// Timeouts by sweeping: a timer per connection would be set and cancelled four times a request, in a heap. One sweep
// looks at all of them a few times a second.
class IoThread : public std::enable_shared_from_this<IoThread> {
 public:
  IoThread(const Clock& clock, std::chrono::milliseconds sweep_interval);

  void start();
  // Closes the sessions, lets their handlers end, joins. Twice is fine.
  void stop();

  boost::asio::io_context& context() { return context_; }
  void post(std::function<void()> work);

  // On this thread only.
  void add(std::shared_ptr<Session> session);
  void remove(Session& session);
  void sweep_now();
  const std::string& http_date();  // of this second, for the Date header

 private:
  void schedule_sweep();

  const Clock& clock_;
  const std::chrono::milliseconds sweep_interval_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweep_timer_;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  std::thread thread_;
  bool stopping_ = false;
  std::int64_t date_second_ = -1;
  std::string date_;
};

}  // namespace flexsync::http
