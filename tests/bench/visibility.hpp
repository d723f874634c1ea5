// When what was sent can be read: the generator says what left and when, a thread asks the database which of it is
// settled by now, every millisecond or two. So each figure is an upper bound, by that much.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace flexsync::bench {

class Visibility {
 public:
  using Clock = std::chrono::steady_clock;

  // Of one tenant and environment; the login must see past row-level security.
  Visibility(std::string url, std::string tenant, std::string environment);
  ~Visibility();

  void sent(const std::string& event, Clock::time_point due);

  // Waits until all are settled; false when that takes longer.
  bool wait(std::chrono::seconds time);
  // In microseconds, of those whose outcome is `applied`; the others are counted.
  std::vector<long> latencies() const;
  long others() const;

 private:
  void watch();

  std::string url_;
  std::string tenant_;
  std::string environment_;
  mutable std::mutex mutex_;
  std::condition_variable closing_;
  std::condition_variable changed_;
  std::map<std::string, Clock::time_point> open_;
  std::vector<long> latencies_;
  long others_ = 0;
  bool closed_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace flexsync::bench
