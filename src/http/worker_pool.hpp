// A fixed number of threads for what blocks, behind a bounded queue: more work than that is refused, not collected.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace flexsync::http {

class WorkerPool {
 public:
  using Job = std::function<void()>;

  WorkerPool(int threads, std::size_t queue_max);
  ~WorkerPool();  // stops
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full or the pool has stopped; the job is then not taken.
  bool submit(Job job);

  // Lets running jobs end and drops the waiting ones. Twice is fine.
  void stop();

 private:
  void run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace flexsync::http
