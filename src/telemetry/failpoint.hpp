// Named places where a test lets the process fail: killed, or an error thrown.
//
//   FLEXSYNC_FAILPOINT("inbox.after_commit");
//
// Armed by the environment: FLEXSYNC_FAILPOINT_PLAN="inbox.after_commit=kill@3,changes.before_commit=throw"
// (act on the third pass; without @N on the first). Every name is listed in failpoint.cpp, so that the kill -9 test
// can visit them all; an unknown one in the plan is an error. Compiled out unless FLEXSYNC_FAILPOINTS is defined.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace flexsync {

struct FailpointError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace failpoint {
const std::vector<std::string_view>& names();
void pass(std::string_view name);
// Replaces the plan that the environment gave. Throws std::invalid_argument and changes nothing for a wrong one.
void arm(std::string_view plan);
// Reads FLEXSYNC_FAILPOINT_PLAN at the start instead of at the first pass; what is wrong with it, if anything.
std::optional<std::string> arm_from_environment();
}  // namespace failpoint

}  // namespace flexsync

#ifdef FLEXSYNC_FAILPOINTS
#define FLEXSYNC_FAILPOINT(name) ::flexsync::failpoint::pass(name)
#else
#define FLEXSYNC_FAILPOINT(name) static_cast<void>(0)
#endif
