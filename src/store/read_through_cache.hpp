// A cache in front of slow reads, for a hot path that must neither wait nor pile up.
//
// A plain "look, else read" cache fails three ways: when an entry gets too old, every caller at once reads it anew; a
// caller that has a perfectly usable old value waits for the new one; and whoever asks for nonsense fills it up. Here
// one read is under way per key, whoever comes meanwhile joins it, an old value is served at once while it is read
// again in the background, failures to find are kept apart and briefly, and everything has a bound.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "domain/clock.hpp"
#include "domain/error.hpp"

namespace flexsync::store {

struct ReadThroughLimits {
  std::chrono::milliseconds fresh{5'000};             // served as it is
  std::chrono::milliseconds stale_max{60'000};        // served while it is read again; older ones count as a miss
  std::chrono::milliseconds missing{1'000};           // how long "not found" is believed
  std::chrono::milliseconds refresh_interval{1'000};  // the least time between two forced reads of one key
  std::size_t found_max = 4'096;                      // per shard, of 16
  std::size_t missing_max = 1'024;
  std::size_t reads_max = 256;
};

template <class Key, class Value>
class ReadThroughCache : public std::enable_shared_from_this<ReadThroughCache<Key, Value>> {
 public:
  using Answer = Result<std::shared_ptr<const Value>>;
  using Reply = std::function<void(Answer)>;
  using Read = std::function<void(const Key&, Reply)>;  // not_found is kept as missing, other errors are not

  ReadThroughCache(const Clock& clock, Read read, ReadThroughLimits limits = {})
      : clock_(clock), read_(std::move(read)), limits_(limits) {}

  // Replies at once from memory, or when the read is done.
  void find(const Key& key, Reply reply) {
    auto& shard = shard_of(key);
    const auto now = clock_.now();
    std::unique_lock lock(shard.mutex);
    if (auto found = shard.found.find(key); found != shard.found.end()) {
      const auto age = now - found->second.read_at;
      if (age < limits_.stale_max) {
        auto value = found->second.value;
        const bool again = age >= limits_.fresh && begin_read(shard, key, nullptr) == Begun::started;
        lock.unlock();
        reply(std::move(value));
        if (again) {
          read(key);
        }
        return;
      }
    }
    if (auto missing = shard.missing.find(key); missing != shard.missing.end()) {
      if (now - missing->second.read_at < limits_.missing) {
        auto error = missing->second.error;
        lock.unlock();
        reply(tl::unexpected(std::move(error)));
        return;
      }
      shard.missing.erase(missing);
    }
    join(shard, lock, key, std::move(reply));
  }

  // Reads anew whatever is known, at most once an interval; in between it answers as find does.
  void refresh(const Key& key, Reply reply) {
    auto& shard = shard_of(key);
    const auto now = clock_.now();
    std::unique_lock lock(shard.mutex);
    auto found = shard.found.find(key);
    const bool under_way = shard.reads.contains(key);
    if (found == shard.found.end() || (!under_way && now - found->second.refreshed_at < limits_.refresh_interval)) {
      lock.unlock();
      find(key, std::move(reply));
      return;
    }
    found->second.refreshed_at = now;
    join(shard, lock, key, std::move(reply));
  }

  // What is known of the key is wrong from now on; a read that is under way is repeated.
  void invalidate(const Key& key) {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    shard.found.erase(key);
    shard.missing.erase(key);
    if (auto under_way = shard.reads.find(key); under_way != shard.reads.end()) {
      under_way->second.repeat = true;
    }
  }

  void invalidate_all() {
    for (auto& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      shard.found.clear();
      shard.missing.clear();
      for (auto& [key, under_way] : shard.reads) {
        under_way.repeat = true;
      }
    }
  }

 private:
  struct Found {
    std::shared_ptr<const Value> value;
    Timestamp read_at;
    Timestamp refreshed_at;
  };
  struct Missing {
    Error error;
    Timestamp read_at;
  };
  struct UnderWay {
    std::vector<Reply> waiting;
    bool repeat = false;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, Found> found;
    std::unordered_map<Key, Missing> missing;
    std::unordered_map<Key, UnderWay> reads;
  };
  enum class Begun { started, joined, refused };

  Shard& shard_of(const Key& key) { return shards_[std::hash<Key>{}(key) % shards_.size()]; }

  // With the shard's lock held. `started`: the caller must call read() without it.
  Begun begin_read(Shard& shard, const Key& key, Reply reply) {
    auto under_way = shard.reads.find(key);
    const bool joined = under_way != shard.reads.end();
    if (!joined && shard.reads.size() >= limits_.reads_max) {
      return Begun::refused;
    }
    if (!joined) {
      under_way = shard.reads.emplace(key, UnderWay{}).first;
    }
    if (reply) {
      under_way->second.waiting.push_back(std::move(reply));
    }
    return joined ? Begun::joined : Begun::started;
  }

  void join(Shard& shard, std::unique_lock<std::mutex>& lock, const Key& key, Reply reply) {
    auto refused = reply;
    const auto begun = begin_read(shard, key, std::move(reply));
    lock.unlock();
    if (begun == Begun::started) {
      read(key);
    } else if (begun == Begun::refused) {
      refused(fail(ErrorCode::service_unavailable, "too many look-ups are under way; try again"));
    }
  }

  void read(const Key& key) {
    read_(key, [self = this->shared_from_this(), key](Answer answer) { self->finish(key, std::move(answer)); });
  }

  void finish(const Key& key, Answer answer) {
    auto& shard = shard_of(key);
    std::vector<Reply> waiting;
    {
      std::unique_lock lock(shard.mutex);
      auto under_way = shard.reads.find(key);
      if (std::exchange(under_way->second.repeat, false)) {
        lock.unlock();
        read(key);
        return;
      }
      waiting = std::move(under_way->second.waiting);
      shard.reads.erase(under_way);
      keep(shard, key, answer);
    }
    for (const auto& reply : waiting) {
      reply(answer);
    }
  }

  // With the shard's lock held. A read that failed leaves what is known as it is.
  void keep(Shard& shard, const Key& key, const Answer& answer) {
    const auto now = clock_.now();
    if (answer) {
      shard.missing.erase(key);
      if (shard.found.size() >= limits_.found_max && !shard.found.contains(key)) {
        shard.found.erase(shard.found.begin());
      }
      auto& found = shard.found[key];
      found.value = *answer;
      found.read_at = now;
    } else if (answer.error().code == ErrorCode::not_found) {
      shard.found.erase(key);
      if (shard.missing.size() >= limits_.missing_max) {
        shard.missing.clear();
      }
      shard.missing.insert_or_assign(key, Missing{answer.error(), now});
    }
  }

  const Clock& clock_;
  const Read read_;
  const ReadThroughLimits limits_;
  std::array<Shard, 16> shards_;
};

}  // namespace flexsync::store
