// Which part of Stripe's list of events is asked for next, and how far the cursor may follow.
//
// Stripe lists events newest first, and webhooks that were lost are the older ones. Whoever pages from the newest
// event towards the cursor and has to stop half-way knows nothing of the oldest part: the cursor stays where it was,
// and a backlog that is longer than one walk is walked for ever. So a range of time that does not end within
// `pages_max` pages is given up and halved, the older half first. A range that was walked to its end, with all of it
// stored, moves the cursor to where it ends, and the next one begins there: as long if it was hard work, twice as long
// if it was easy. The last one is open at its end, and moves the cursor to the time at which the walk began, by
// Stripe's clock.
//
// Stripe may list an event a little late. A walk begins `overlap` before the cursor, and no range ends later than the
// walk began: so what is listed after its range was walked is found by the next walk.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "domain/time.hpp"

namespace flexsync::sync {

inline constexpr std::chrono::hours kEventsListedFor{30 * 24};  // Stripe lists nothing older

struct CatchUpPolicy {
  std::chrono::seconds overlap{180};
  int pages_max = 20;  // of one list; a range of one second is walked to its end all the same
};

// Whole seconds, as Stripe's filter has them.
struct EventRange {
  Timestamp from;
  std::optional<Timestamp> before;  // nothing: up to now

  friend bool operator==(const EventRange&, const EventRange&) = default;
};

// One walk, a list at a time: of each range one list for every group of event types.
class CatchUpWalk {
 public:
  enum class Next { page, list, end };  // the list's next page; a list from its newest event; nothing more

  struct Step {
    Next next = Next::page;
    std::optional<Timestamp> reached;  // the cursor may move there once all pages so far are stored
  };

  CatchUpWalk(Timestamp cursor, CatchUpPolicy policy, std::size_t groups);

  const EventRange& range() const { return range_; }
  std::size_t group() const { return group_; }

  // A page of the list came, and what it has is stored; `true_from` is when Stripe made it, at the earliest.
  Step on_page(bool has_more, Timestamp true_from);

 private:
  std::chrono::seconds width() const;
  Step halve();
  Step end_range();

  Timestamp cursor_;
  CatchUpPolicy policy_;
  std::size_t groups_;
  EventRange range_;
  std::size_t group_ = 0;
  int pages_ = 0;                   // of this list
  int most_pages_ = 0;              // of a list of this range
  std::optional<Timestamp> began_;  // by Stripe's clock
};

}  // namespace flexsync::sync
