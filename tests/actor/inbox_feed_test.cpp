#include "actors/inbox_feed.hpp"

#include <catch2/catch.hpp>

using flexsync::actors::InboxFeed;

namespace {

// A page was read whose rows end at `seq`; all of them are settled.
void pass(InboxFeed& feed, std::int64_t seq) {
  feed.begin_read();
  feed.read_up_to(seq);
}

}  // namespace

TEST_CASE("every row is read again a whole sweep after the cursor passed it, before the watermark does") {
  InboxFeed feed;
  feed.start(0);
  pass(feed, 10);  // just before a sweep; row 9 is about to commit
  CHECK(feed.sweep() == 0);
  CHECK(feed.cursor() == 0);
  pass(feed, 10);  // row 9 is still not there
  CHECK(feed.sweep() == 0);
  CHECK(feed.cursor() == 0);  // now it is, and is found
  pass(feed, 10);
  CHECK(feed.sweep() == 10);
}

TEST_CASE("the watermark never passes what is in flight or skipped, however late it was found") {
  InboxFeed feed;
  feed.start(0);
  pass(feed, 10);
  feed.sweep();
  pass(feed, 10);
  feed.sweep();
  feed.take(9, false);  // committed late
  pass(feed, 10);
  CHECK(feed.sweep() == 8);
  feed.settle(9);
  feed.skip("cus_1", 9);
  pass(feed, 10);
  CHECK(feed.sweep() == 8);
  feed.resumed("cus_1");
  pass(feed, 10);
  feed.sweep();
  pass(feed, 10);
  feed.sweep();
  pass(feed, 10);
  CHECK(feed.sweep() == 10);
}

TEST_CASE("a sweep while a page is on its way is not undone by the page") {
  InboxFeed feed;
  feed.start(0);
  pass(feed, 10);
  feed.begin_read();
  feed.sweep();
  feed.read_up_to(20);
  CHECK(feed.cursor() == 0);
}

TEST_CASE("a row that is given back is read again") {
  InboxFeed feed;
  feed.start(0);
  feed.take(5, false);
  pass(feed, 10);
  feed.give_back(5);
  CHECK(feed.cursor() == 4);
  CHECK_FALSE(feed.has(5));
  for (int i = 0; i < 5; ++i) {
    CHECK(feed.sweep() <= 4);  // and until it is, nothing passes it
  }
}

TEST_CASE("parked rows that are tried again do not hold the watermark, nor send the cursor back") {
  InboxFeed feed;
  feed.start(100);
  CHECK(feed.take(5, true));
  CHECK_FALSE(feed.take(5, true));
  CHECK(feed.has(5));
  CHECK(feed.in_flight() == 1);
  for (int i = 0; i < 3; ++i) {
    pass(feed, 120);
    feed.sweep();
  }
  CHECK(feed.cursor() == 120);
  feed.give_back(5);
  CHECK(feed.cursor() == 120);
  CHECK(feed.in_flight() == 0);
}
