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
  feed.take(9, "cus_1", false);  // committed late
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
  feed.take(5, "cus_1", false);
  pass(feed, 10);
  feed.give_back(5);
  CHECK(feed.cursor() == 4);
  CHECK_FALSE(feed.has(5));
  for (int i = 0; i < 5; ++i) {
    CHECK(feed.sweep() <= 4);  // and until it is, nothing passes it
  }
}

TEST_CASE("a row that is held back is read with its object, and the cursor stays") {
  InboxFeed feed;
  feed.start(0);
  feed.take(5, "cus_1", false);
  feed.take(6, "cus_1", true);
  pass(feed, 10);
  feed.hold_back(5);
  feed.hold_back(6);
  CHECK(feed.in_flight() == 0);
  CHECK(feed.cursor() == 10);
  CHECK(feed.skips("cus_1"));
  CHECK(feed.resume_after("cus_1") <= 4);
  for (int i = 0; i < 5; ++i) {
    CHECK(feed.sweep() <= 4);  // and until it is, the watermark does not pass it
  }
}

TEST_CASE("parked rows that are tried again do not hold the watermark, nor send the cursor back") {
  InboxFeed feed;
  feed.start(100);
  feed.take(5, "cus_1", true);
  feed.take(5, "cus_1", true);
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

TEST_CASE("a row given back of an object that is skipped is read with the object") {
  InboxFeed feed;
  feed.start(0);
  feed.take(5, "cus_1", false);
  pass(feed, 10);
  feed.skip("cus_1", 9);
  feed.give_back(5);
  CHECK(feed.resume_after("cus_1") <= 4);
  feed.resumed("cus_1");
  CHECK_FALSE(feed.skips("cus_1"));
}

TEST_CASE("a row given back while its object is being read keeps the object skipped from there") {
  InboxFeed feed;
  feed.start(0);
  feed.take(8, "cus_1", false);
  for (int i = 0; i < 3; ++i) {
    pass(feed, 10);
    feed.sweep();
  }
  pass(feed, 20);
  feed.skip("cus_1", 15);
  CHECK(feed.resume_after("cus_1") >= 8);
  feed.give_back(8);
  feed.resumed("cus_1");
  CHECK(feed.skips("cus_1"));
  CHECK(feed.resume_after("cus_1") <= 7);
}

TEST_CASE("rows of a skipped object that commit late are read with the object, however long it was skipped") {
  InboxFeed feed;
  feed.start(0);
  pass(feed, 10);
  feed.skip("cus_1", 10);  // row 9, of the same object, is about to commit
  for (int i = 0; i < 5; ++i) {
    feed.sweep();
    pass(feed, 10);
  }
  CHECK(feed.resume_after("cus_1") < 9);
}

TEST_CASE("a hot object, skipped again and again, does not hold the watermark for ever") {
  InboxFeed feed;
  feed.start(0);
  std::int64_t seq = 0;
  for (int i = 0; i < 20; ++i) {
    seq += 100;
    pass(feed, seq);
    feed.skip("cus_1", seq);
    feed.sweep();
    pass(feed, seq);
    feed.resume_after("cus_1");
    feed.resumed("cus_1");
    feed.skip("cus_1", seq + 1);
  }
  CHECK(feed.sweep() > seq - 1'000);
}
