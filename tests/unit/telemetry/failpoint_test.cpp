#include "telemetry/failpoint.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

using namespace flexsync;
using Catch::Matchers::Contains;

namespace {

struct Disarm {
  ~Disarm() { failpoint::arm(""); }
};

}  // namespace

TEST_CASE("without a plan every failpoint lets pass") {
  const Disarm after;
  failpoint::arm("");
  for (const auto name : failpoint::names()) {
    CHECK_NOTHROW(failpoint::pass(name));
  }
}

TEST_CASE("a failpoint throws on the pass it is told to, once") {
  const Disarm after;
  failpoint::arm("changes.before_commit=throw@3,inbox.before_reply=throw");
  CHECK_NOTHROW(failpoint::pass("changes.before_commit"));
  CHECK_NOTHROW(failpoint::pass("changes.before_commit"));
  CHECK_NOTHROW(failpoint::pass("changes.after_commit"));
  CHECK_THROWS_AS(failpoint::pass("changes.before_commit"), FailpointError);
  CHECK_NOTHROW(failpoint::pass("changes.before_commit"));
  CHECK_THROWS_WITH(failpoint::pass("inbox.before_reply"), Contains("inbox.before_reply"));
}

TEST_CASE("kill ends the process there and then, as kill -9 would") {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    failpoint::arm("inbox.after_commit=kill@2");
    failpoint::pass("inbox.after_commit");
    failpoint::pass("inbox.after_commit");
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("a wrong plan is refused with the entry that is wrong, and changes nothing") {
  const Disarm after;
  failpoint::arm("inbox.before_commit=throw");
  CHECK_THROWS_WITH(failpoint::arm("inbox.befor_commit=kill"),
                    Contains("inbox.befor_commit=kill") && Contains("no such"));
  const auto* plan =
      GENERATE("inbox.before_commit", "inbox.before_commit=explode", "inbox.before_commit=throw@0",
               "inbox.before_commit=throw@", "inbox.before_commit=throw@x", "inbox.before_commit=throw@1x", "=throw",
               "inbox.before_commit=throw,,inbox.after_commit=throw");
  CAPTURE(plan);
  CHECK_THROWS_AS(failpoint::arm(plan), std::invalid_argument);
  CHECK_THROWS_AS(failpoint::pass("inbox.before_commit"), FailpointError);
}

TEST_CASE("a failpoint that is not listed is a fault of the code") {
  CHECK_THROWS_AS(failpoint::pass("nowhere"), std::logic_error);
}

TEST_CASE("the macro passes the failpoint exactly where failpoints are compiled in") {
  const Disarm after;
  failpoint::arm("entity.before_submit=throw");
#ifdef FLEXSYNC_FAILPOINTS
  CHECK_THROWS_AS([] { FLEXSYNC_FAILPOINT("entity.before_submit"); }(), FailpointError);
#else
  CHECK_NOTHROW([] { FLEXSYNC_FAILPOINT("entity.before_submit"); }());
#endif
}
