// Group commit, the waiting half: many callers push, one writer thread takes all that queued during its last flush.
//
// The naive way, a commit per caller, is bound by the disk's flushes (10,000/s here, far less elsewhere). A timed
// delay to gather more would cost latency when there is little to do. So a batch is simply whatever has come in
// while the writer was busy, up to a cap: alone, a caller waits for one flush; in a crowd, a flush serves hundreds.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace flexsync::store {

template <class Item>
class GroupQueue {
 public:
  explicit GroupQueue(std::size_t capacity) : capacity_(capacity) {}

  // False when the queue is full or closed: the caller keeps the item and answers for it.
  bool push(Item& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity_) {
        return false;
      }
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  // Up to `max` items, waiting for the first; empty once the queue is closed and drained.
  std::vector<Item> pop(std::size_t max) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return closed_ || !items_.empty(); });
    return take(max);
  }

  // The same without waiting: empty when there is nothing.
  std::vector<Item> pop_ready(std::size_t max) {
    const std::lock_guard lock(mutex_);
    return take(max);
  }

  // Lets this long pass, or until the queue is closed.
  void rest(std::chrono::microseconds time) {
    if (time.count() > 0) {
      std::unique_lock lock(mutex_);
      closing_.wait_for(lock, time, [&] { return closed_; });
    }
  }

  // What is queued is still served; nothing more is taken.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
    closing_.notify_all();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::vector<Item> take(std::size_t max) {
    std::vector<Item> batch;
    batch.reserve(std::min(max, items_.size()));
    while (!items_.empty() && batch.size() < max) {
      batch.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return batch;
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable closing_;
  std::deque<Item> items_;
  bool closed_ = false;
};

}  // namespace flexsync::store
