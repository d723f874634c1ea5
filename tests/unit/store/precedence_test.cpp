#include "store/precedence.hpp"

#include <catch2/catch.hpp>

using flexsync::store::Precedence;
using std::chrono::microseconds;

TEST_CASE("the more webhooks wait, the longer application rests", "[precedence]") {
  Precedence precedence;
  const microseconds work(1'600);
  CHECK(precedence.rest_after(work) == microseconds(0));
  precedence.intake_begins();
  CHECK(precedence.rest_after(work) == microseconds(700));
  for (int i = 1; i < 64; ++i) {
    precedence.intake_begins();
  }
  CHECK(precedence.rest_after(work) == 7 * work);
  CHECK(precedence.rest_after(std::chrono::seconds(1)) == Precedence::kRestMax);
  precedence.intake_ends(64);
  CHECK(precedence.rest_after(work) == microseconds(0));
}
