#include "sync/catch_up.hpp"

#include <algorithm>
#include <utility>

namespace flexsync::sync {

using std::chrono::floor;
using std::chrono::seconds;

CatchUpWalk::CatchUpWalk(Timestamp cursor, CatchUpPolicy policy, std::size_t groups)
    : cursor_(cursor),
      policy_(policy),
      groups_(groups),
      range_{floor<seconds>(cursor - policy.overlap), std::nullopt} {}

CatchUpWalk::Step CatchUpWalk::on_page(bool has_more, Timestamp true_from) {
  if (!began_) {
    began_ = floor<seconds>(true_from);
  }
  ++pages_;
  if (has_more) {
    return pages_ >= policy_.pages_max && width() > seconds(1) ? halve() : Step{Next::page, {}};
  }
  most_pages_ = std::max(most_pages_, std::exchange(pages_, 0));
  if (++group_ < groups_) {
    return {Next::list, {}};
  }
  return end_range();
}

seconds CatchUpWalk::width() const {
  return std::chrono::duration_cast<seconds>(range_.before.value_or(*began_) - range_.from);
}

CatchUpWalk::Step CatchUpWalk::halve() {
  range_.before = range_.from + width() / 2;
  group_ = 0;
  pages_ = most_pages_ = 0;
  return {Next::list, {}};
}

CatchUpWalk::Step CatchUpWalk::end_range() {
  if (!range_.before) {
    return {Next::end, *began_};
  }
  const bool easy = 2 * most_pages_ <= policy_.pages_max;
  const auto reached = *range_.before;
  const auto end = reached + (easy ? 2 : 1) * width();
  range_ = {reached, end < *began_ ? std::optional(end) : std::nullopt};
  group_ = 0;
  most_pages_ = 0;
  // In the overlap it would move back.
  return {Next::list, reached > cursor_ ? std::optional(reached) : std::nullopt};
}

}  // namespace flexsync::sync
