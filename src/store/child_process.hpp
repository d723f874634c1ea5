// Starting and watching another program: with another user's rights, no descriptor of ours, and a session of its own.
//
// Everything between fork and exec is async-signal-safe, since the server has many threads by then.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.hpp"

namespace flexsync::store {

// Whose rights a program runs with.
struct OsUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
};

std::optional<OsUser> find_user(const std::string& name);
std::optional<OsUser> find_user(uid_t uid);
OsUser current_user();

struct ChildOptions {
  std::vector<std::string> command;   // the program's absolute path first
  std::optional<OsUser> run_as = {};  // only root can change it
  std::filesystem::path log = {};     // its output is appended there
  std::filesystem::path working_dir = "/";
};

// Starts the program and returns at once.
Result<pid_t> start_child(const ChildOptions& options);

// Starts it and waits for its end: its exit code, 128 + signal when killed.
Result<int> run_child(const ChildOptions& options);

// True while the process runs; reaps it when it is our ended child.
bool is_alive(pid_t pid);

// Waits for its end, ours or not; false when it still runs after `timeout`.
bool wait_for_end(pid_t pid, std::chrono::milliseconds timeout);

// True when that user can enter the directory, tried as that user.
bool can_enter(const std::filesystem::path& directory, const OsUser& user);

// A short pause for polling what gives no notice. Only on threads of our own, never on an actor's.
void pause_for(std::chrono::milliseconds time);

}  // namespace flexsync::store
