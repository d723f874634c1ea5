// How far a supervisor has read its tenant's inbox: cursor, what is in flight, what was skipped, the watermark.
//
// The cursor alone is not enough: rows may commit behind it (of another process, of another writer's thread), rows of
// an object whose queue is full are skipped, and a settlement may fail. So every sweep the cursor goes back to the
// watermark, below which everything is settled. A row that is given back takes the cursor with it.
//
// The watermark lags by two sweeps and never passes what is unsettled now: what the cursor passed just before a sweep
// is read again after that sweep and after the next one, a whole interval later, time enough for any commit that was
// under way. Reading a row twice is harmless: what is in flight is known here, what is settled is not returned by the
// store, and settling happens once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace flexsync::actors {

class InboxFeed {
 public:
  void start(std::int64_t watermark) {
    cursor_ = watermark_ = watermark;
    floor_at_last_sweep_ = floor_before_ = watermark;
    passed_at_last_sweep_ = passed_before_ = watermark;
  }

  std::int64_t cursor() const { return cursor_; }
  void begin_read() { read_counts_ = true; }
  // What the page that was begun last had. If the cursor went back meanwhile, or a sweep wants all read anew, it stays.
  void read_up_to(std::int64_t seq) {
    if (read_counts_) {
      cursor_ = std::max(cursor_, seq);
    }
  }

  // --- in flight: read, not yet settled
  void take(std::int64_t seq, const std::string& object, bool parked) {
    (parked ? parked_in_flight_ : in_flight_).emplace(seq, object);
  }
  void settle(std::int64_t seq) {
    in_flight_.erase(seq);
    parked_in_flight_.erase(seq);
  }
  // It could not be settled or routed: it is read again. (A parked one is found when it is due.)
  void give_back(std::int64_t seq) {
    if (const auto row = in_flight_.extract(seq); !row.empty()) {
      cursor_ = std::min(cursor_, seq - 1);
      read_counts_ = false;
      if (skips(row.mapped())) {
        skip(row.mapped(), seq);
      }
    }
    parked_in_flight_.erase(seq);
  }
  // Its object cannot take it now: it is read again with the object. (A parked one is found when it is due.)
  void hold_back(std::int64_t seq) {
    if (const auto row = in_flight_.extract(seq); !row.empty()) {
      skip(row.mapped(), seq);
    }
    parked_in_flight_.erase(seq);
  }
  bool has(std::int64_t seq) const { return in_flight_.contains(seq) || parked_in_flight_.contains(seq); }
  std::size_t in_flight() const { return in_flight_.size() + parked_in_flight_.size(); }

  // --- objects whose queue is full: from which seq on their rows are to be read again
  // Pages leave a skipped object out altogether, so what the cursor would have found has to be found for it: from where
  // the cursor is now, and from where it was two sweeps ago (rows that commit late).
  void skip(const std::string& object, std::int64_t seq) {
    auto& from = skipped_.try_emplace(object, seq).first->second;
    from = std::min({from, seq, cursor_ + 1, passed_before_ + 1});
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
  std::int64_t resume_after(const std::string& object) {
    resumed_from_ = skipped_.at(object);
    return resumed_from_ - 1;
  }
  // They were read, unless an earlier one was given back meanwhile: then it is still skipped, from there on.
  void resumed(const std::string& object) {
    const auto found = skipped_.find(object);
    if (found != skipped_.end() && found->second >= resumed_from_) {
      skipped_.erase(found);
    }
  }

  // --- the watermark
  // Once a sweep: returns the new watermark and sends the cursor back to it.
  std::int64_t sweep() {
    const auto now = floor();
    watermark_ = std::max(watermark_, std::min(floor_before_, now));
    floor_before_ = std::exchange(floor_at_last_sweep_, now);
    passed_before_ = std::exchange(passed_at_last_sweep_, std::max(passed_at_last_sweep_, cursor_));
    read_counts_ = false;
    cursor_ = std::min(cursor_, watermark_);
    return watermark_;
  }

 private:
  // Everything up to here is settled or parked, as far as is known now.
  std::int64_t floor() const {
    auto low = cursor_;
    if (!in_flight_.empty()) {
      low = std::min(low, in_flight_.begin()->first - 1);
    }
    for (const auto& [object, seq] : skipped_) {
      low = std::min(low, seq - 1);
    }
    return low;
  }

  std::int64_t cursor_ = 0;
  bool read_counts_ = true;  // the page under way may move the cursor
  std::int64_t watermark_ = 0;
  std::int64_t floor_at_last_sweep_ = 0;
  std::int64_t floor_before_ = 0;          // at the sweep before the last
  std::int64_t passed_at_last_sweep_ = 0;  // the farthest the cursor had been
  std::int64_t passed_before_ = 0;
  std::int64_t resumed_from_ = 0;
  std::map<std::int64_t, std::string> in_flight_;  // and their objects
  std::map<std::int64_t, std::string>
      parked_in_flight_;  // parked before, tried again: below the watermark, and no matter for it
  std::map<std::string, std::int64_t> skipped_;
};

}  // namespace flexsync::actors
