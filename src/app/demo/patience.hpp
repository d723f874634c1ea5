// Waiting in the demo: for a condition, up to a deadline, and never longer than the person in front of it wants.
#pragma once

#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>

namespace flexsync::app::demo {

// The demo cannot go on; what() is the sentence for the person.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Ctrl-C, or a SIGTERM.
struct Interrupted {};

// Blocks SIGINT and SIGTERM: before any thread starts, so that only the functions below see them.
void block_stop_signals();

// Returns once the condition holds. Throws Failure naming `what` when it does not within 20 s, Interrupted on a signal.
void wait_until(const std::string& what, const std::function<bool()>& condition);

// Returns on Ctrl-C or SIGTERM.
void wait_for_stop();

}  // namespace flexsync::app::demo
