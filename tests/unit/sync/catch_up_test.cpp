// How Stripe's list of events is walked: single steps, then whole lives against a list that grows while it is walked.
#include "sync/catch_up.hpp"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

using namespace flexsync;
using namespace flexsync::sync;
using namespace std::chrono_literals;
using Next = CatchUpWalk::Next;

namespace {

const Timestamp kCursor = from_unix_seconds(1'790'000'000);
constexpr CatchUpPolicy kPolicy{60s, 3};

Timestamp at(std::chrono::seconds after) {
  return kCursor + after;
}

struct Event {
  std::size_t id = 0;
  std::size_t group = 0;
  std::chrono::seconds created{0};
  std::chrono::seconds listed{0};  // from then on
};

// Stripe: events become visible as its clock goes, and are listed newest first.
struct Stripe {
  struct Page {
    std::vector<Event> events;
    bool has_more = false;
  };

  std::vector<Event> listed(const EventRange& range, std::size_t group) const {
    std::vector<Event> found;
    for (const auto& event : events) {
      const auto created = at(event.created);
      if (event.listed <= now && event.group == group && created >= range.from &&
          (!range.before || created < *range.before)) {
        found.push_back(event);
      }
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return std::pair(a.created, a.id) > std::pair(b.created, b.id); });
    return found;
  }

  Page page(const EventRange& range, std::size_t group, const std::optional<Event>& after) const {
    Page page;
    for (const auto& event : listed(range, group)) {
      if (after && std::pair(event.created, event.id) >= std::pair(after->created, after->id)) {
        continue;
      }
      page.has_more = page.events.size() == page_size;
      if (page.has_more) {
        break;
      }
      page.events.push_back(event);
    }
    return page;
  }

  std::vector<Event> events;
  std::chrono::seconds now{0};
  std::size_t page_size = 2;
};

// What a walker remembers: what it stored, and its cursor.
struct Walker {
  // False when it was stopped after so many pages.
  bool walk(Stripe& stripe, CatchUpPolicy policy, int pages, std::chrono::seconds per_page) {
    CatchUpWalk walk(cursor, policy, 2);
    std::optional<Event> after;
    while (pages-- > 0) {
      const auto page = stripe.page(walk.range(), walk.group(), after);
      ++asked;
      for (const auto& event : page.events) {
        stored.insert(event.id);
      }
      const auto step = walk.on_page(page.has_more, at(stripe.now));
      stripe.now += per_page;
      cursor = step.reached.value_or(cursor);
      if (step.next == Next::end) {
        return true;
      }
      after = step.next == Next::page ? std::optional(page.events.back()) : std::nullopt;
    }
    return false;
  }

  Timestamp cursor = kCursor;
  std::set<std::size_t> stored;
  int asked = 0;
};

std::vector<Event> some_events(int most, std::chrono::seconds span, std::chrono::seconds late_max) {
  std::vector<Event> events;
  const auto count = *rc::gen::inRange(0, most);
  for (int i = 0; i < count; ++i) {
    Event event;
    event.id = static_cast<std::size_t>(i);
    event.group = static_cast<std::size_t>(*rc::gen::inRange(0, 2));
    event.created = std::chrono::seconds(*rc::gen::inRange<long>(0, span.count()));
    event.listed = event.created + std::chrono::seconds(*rc::gen::inRange<long>(0, late_max.count() + 1));
    events.push_back(event);
  }
  return events;
}

}  // namespace

TEST_CASE("a short backlog is one range: all groups to their end, then the cursor moves to where the walk began") {
  CatchUpWalk walk(kCursor + 700ms, kPolicy, 2);
  CHECK(walk.range() == EventRange{at(-60s), std::nullopt});
  CHECK(walk.on_page(true, at(500s) + 300ms).next == Next::page);
  CHECK(walk.group() == 0);
  auto step = walk.on_page(false, at(501s));
  CHECK(step.next == Next::list);
  CHECK_FALSE(step.reached);
  CHECK(walk.group() == 1);
  step = walk.on_page(false, at(502s));
  CHECK(step.next == Next::end);
  CHECK(step.reached == at(500s));
}

TEST_CASE("a long backlog is walked from its oldest part on, and each part moves the cursor") {
  CatchUpWalk walk(kCursor, kPolicy, 1);
  walk.on_page(true, at(1140s));
  walk.on_page(true, at(1140s));
  auto step = walk.on_page(true, at(1140s));
  CHECK(step.next == Next::list);
  CHECK_FALSE(step.reached);
  CHECK(walk.range() == EventRange{at(-60s), at(540s)});
  step = walk.on_page(false, at(1150s));
  CHECK(step.next == Next::list);
  CHECK(step.reached == at(540s));
  CHECK(walk.range() ==
        EventRange{at(540s), std::nullopt});  // one page was easy; twice as long is beyond the beginning

  walk.on_page(true, at(1160s));
  walk.on_page(true, at(1160s));
  walk.on_page(true, at(1160s));
  CHECK(walk.range() == EventRange{at(540s), at(840s)});
  walk.on_page(true, at(1160s));
  step = walk.on_page(false, at(1160s));
  CHECK(step.reached == at(840s));
  CHECK(walk.range() == EventRange{at(840s), std::nullopt});
  step = walk.on_page(false, at(1170s));
  CHECK(step.next == Next::end);
  CHECK(step.reached == at(1140s));
}

TEST_CASE("a part that was hard work is followed by one as long, an easy one by one twice as long") {
  CatchUpWalk walk(kCursor, {0s, 2}, 1);
  const auto halve = [&] {
    walk.on_page(true, at(1600s));
    walk.on_page(true, at(1600s));
  };
  halve();
  halve();
  halve();
  halve();
  CHECK(walk.range() == EventRange{at(0s), at(100s)});
  walk.on_page(true, at(1600s));
  walk.on_page(false, at(1600s));
  CHECK(walk.range() == EventRange{at(100s), at(200s)});
  walk.on_page(false, at(1600s));
  CHECK(walk.range() == EventRange{at(200s), at(400s)});
}

TEST_CASE("a second that holds more than a walk's pages is walked to its end") {
  CatchUpWalk walk(kCursor, {0s, 1}, 1);
  REQUIRE(walk.on_page(true, at(2s)).next == Next::list);
  CHECK(walk.range() == EventRange{at(0s), at(1s)});
  for (int i = 0; i < 50; ++i) {
    REQUIRE(walk.on_page(true, at(2s)).next == Next::page);
  }
  CHECK(walk.on_page(false, at(2s)).reached == at(1s));
  CHECK(walk.range() == EventRange{at(1s), std::nullopt});
}

TEST_CASE("the overlap does not move the cursor back, Stripe's clock does") {
  CatchUpWalk walk(kCursor, {400s, 1}, 1);
  walk.on_page(true, at(100s));
  CHECK(walk.range() == EventRange{at(-400s), at(-150s)});
  const auto step = walk.on_page(false, at(100s));
  CHECK(step.next == Next::list);
  CHECK_FALSE(step.reached);

  CatchUpWalk early(kCursor, {0s, 1}, 1);  // the cursor was set by a clock ahead of Stripe's
  CHECK(early.on_page(true, at(-100s)).next == Next::page);
  CHECK(early.on_page(false, at(-100s)).reached == at(-100s));
}

TEST_CASE("however late an event is listed, and wherever walks are cut off, it is found") {
  rc::prop("nothing is lost", [] {
    const CatchUpPolicy policy{std::chrono::seconds(*rc::gen::inRange(1, 100)), *rc::gen::inRange(1, 5)};
    Stripe stripe;
    stripe.events = some_events(60, 400s, policy.overlap - 1s);
    stripe.page_size = static_cast<std::size_t>(*rc::gen::inRange(1, 5));
    Walker walker;
    for (int i = 0; i < 12; ++i) {
      stripe.now += std::chrono::seconds(*rc::gen::inRange(0, 80));
      walker.walk(stripe, policy, *rc::gen::inRange(0, 30), std::chrono::seconds(*rc::gen::inRange(0, 3)));
    }
    stripe.now = std::max(stripe.now, std::chrono::seconds(600));
    RC_ASSERT(walker.walk(stripe, policy, 100'000, 0s));
    RC_ASSERT(walker.stored.size() == stripe.events.size());
    RC_ASSERT(walker.cursor == at(stripe.now));
  });
}

TEST_CASE("a walker that is always stopped early gets to the end all the same") {
  rc::prop("each walk that ends a range moves the cursor", [] {
    constexpr CatchUpPolicy policy{10s, 2};
    Stripe stripe;
    stripe.events = some_events(200, 3600s, 0s);
    stripe.now = 3700s;
    Walker walker;
    int walks = 0;
    while (!walker.walk(stripe, policy, 60, 0s)) {
      RC_ASSERT(++walks < 100);
    }
    RC_ASSERT(walker.stored.size() == stripe.events.size());
  });
}

TEST_CASE("dividing costs a few lists for each part that is full") {
  rc::prop("the number of requests is bound by what there is", [] {
    constexpr CatchUpPolicy policy{0s, 4};
    Stripe stripe;
    stripe.events = some_events(400, 86'400s, 0s);
    stripe.now = 90'000s;
    Walker walker;
    RC_ASSERT(walker.walk(stripe, policy, 100'000, 0s));
    const auto pages = static_cast<int>(stripe.events.size() / stripe.page_size) + 1;
    RC_ASSERT(walker.asked <= 20 + 8 * pages);
  });
}
