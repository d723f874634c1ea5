// How far a supervisor has read its tenant's inbox: cursor, what is in flight, what was skipped, the watermark.
//
// The cursor alone is not enough: rows of another process may commit behind it, and rows of an object whose queue is
// full are skipped. So every sweep the cursor goes back to the watermark, below which everything is settled; the
// watermark lags by one sweep, time enough for any commit that was under way. Reading a row twice is harmless: what
// is in flight is known here, what is settled is not returned by the store, and settling happens once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace flexsync::actors {

class InboxFeed {
 public:
  void start(std::int64_t watermark) { cursor_ = watermark_ = floor_at_last_sweep_ = watermark; }

  std::int64_t cursor() const { return cursor_; }
  void read_up_to(std::int64_t seq) { cursor_ = std::max(cursor_, seq); }

  // --- in flight: routed, not yet settled
  bool take(std::int64_t seq) { return in_flight_.insert(seq).second; }
  void settle(std::int64_t seq) { in_flight_.erase(seq); }
  bool has(std::int64_t seq) const { return in_flight_.contains(seq); }
  std::size_t in_flight() const { return in_flight_.size(); }

  // --- objects whose queue is full: from which seq on their rows were skipped
  void skip(const std::string& object, std::int64_t seq) {
    auto& from = skipped_.try_emplace(object, seq).first->second;
    from = std::min(from, seq);
  }
  bool skips(const std::string& object) const { return skipped_.contains(object); }
  std::vector<std::string> skipped() const {
    std::vector<std::string> objects;
    for (const auto& [object, seq] : skipped_) {
      objects.push_back(object);
    }
    return objects;
  }
  // The object has room again: its rows after this seq are to be read.
  std::int64_t resume_after(const std::string& object) const { return skipped_.at(object) - 1; }
  void resumed(const std::string& object) { skipped_.erase(object); }

  // --- the watermark
  // Once a sweep: returns the new watermark and sends the cursor back to it.
  std::int64_t sweep() {
    watermark_ = std::max(watermark_, floor_at_last_sweep_);
    floor_at_last_sweep_ = floor();
    cursor_ = std::min(cursor_, watermark_);
    return watermark_;
  }

 private:
  // Everything up to here is settled, as far as is known now.
  std::int64_t floor() const {
    auto low = cursor_;
    if (!in_flight_.empty()) {
      low = std::min(low, *in_flight_.begin() - 1);
    }
    for (const auto& [object, seq] : skipped_) {
      low = std::min(low, seq - 1);
    }
    return low;
  }

  std::int64_t cursor_ = 0;
  std::int64_t watermark_ = 0;
  std::int64_t floor_at_last_sweep_ = 0;
  std::set<std::int64_t> in_flight_;
  std::map<std::string, std::int64_t> skipped_;
};

}  // namespace flexsync::actors
