#include "store/precedence.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using flexsync::store::Precedence;
using std::chrono::microseconds;

TEST_CASE("the more webhooks wait, the longer application rests", "[precedence]") {
  Precedence precedence;
  const microseconds work(600);
  CHECK(precedence.rest_after(work) == microseconds(0));
  for (long waiting = 1; waiting <= 64; ++waiting) {
    precedence.intake_begins();
    CHECK(precedence.rest_after(work) == 7 * work * std::min(waiting, Precedence::kCrowd) / Precedence::kCrowd);
  }
  CHECK(precedence.rest_after(std::chrono::seconds(1)) == Precedence::kRestMax);
  precedence.intake_ends(64);
  CHECK(precedence.rest_after(work) == microseconds(0));
}
