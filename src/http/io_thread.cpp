#include "http/io_thread.hpp"

#include <boost/asio/post.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include "telemetry/log.hpp"

namespace flexsync::http {

namespace {

// RFC 9110: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(Timestamp time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays[std::chrono::weekday(day).c_encoding()],
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace

IoThread::IoThread(const Clock& clock, std::chrono::milliseconds sweep_interval)
    : clock_(clock),
      sweep_interval_(sweep_interval),
      work_(boost::asio::make_work_guard(context_)),
      sweep_timer_(context_) {}

void IoThread::start() {
  schedule_sweep();
  thread_ = std::thread([this] {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& error) {  // out of memory in one connection must not end the others
        log::error("an I/O handler failed", {{"error", error.what()}});
      }
    }
  });
}

void IoThread::stop() {
  if (!thread_.joinable()) {
    return;
  }
  post([this] {
    stopping_ = true;
    sweep_timer_.cancel();
    std::vector<std::shared_ptr<Session>> all;  // closing removes from the map
    for (const auto& [key, session] : sessions_) {
      all.push_back(session);
    }
    for (const auto& session : all) {
      session->abort();
    }
    work_.reset();
  });
  thread_.join();
}

void IoThread::post(std::function<void()> work) {
  boost::asio::post(context_, std::move(work));
}

void IoThread::add(std::shared_ptr<Session> session) {
  auto* key = session.get();
  if (stopping_) {
    session->abort();
    return;
  }
  sessions_.emplace(key, std::move(session));
}

void IoThread::remove(Session& session) {
  sessions_.erase(&session);
}

void IoThread::sweep_now() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<Session>> all;
  all.reserve(sessions_.size());
  for (const auto& [key, session] : sessions_) {
    all.push_back(session);
  }
  for (const auto& session : all) {
    session->sweep(now);
  }
}

const std::string& IoThread::http_date() {
  const auto now = clock_.now();
  if (to_unix_seconds(now) != date_second_) {
    date_second_ = to_unix_seconds(now);
    date_ = format_http_date(now);
  }
  return date_;
}

void IoThread::schedule_sweep() {
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopping_) {
      sweep_now();
      schedule_sweep();
    }
  });
}

}  // namespace flexsync::http
