#include "telemetry/failpoint.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

namespace flexsync::failpoint {

namespace {

enum class Action : std::uint8_t { kill, fail };

struct Armed {
  std::string name;
  Action action;
  std::int64_t on_pass;
  std::atomic<std::int64_t> passes{0};

  Armed(std::string n, Action a, std::int64_t p) : name(std::move(n)), action(a), on_pass(p) {}
};

using Plan = std::vector<std::unique_ptr<Armed>>;

std::mutex plan_mutex;
std::shared_ptr<const Plan> plan;

bool is_known(std::string_view name) {
  return std::find(names().begin(), names().end(), name) != names().end();
}

[[noreturn]] void reject(std::string_view entry, const std::string& why) {
  throw std::invalid_argument("FLEXSYNC_FAILPOINT_PLAN: \"" + std::string(entry) + "\": " + why);
}

// name=action[@pass]
std::unique_ptr<Armed> parse_entry(std::string_view entry) {
  const auto equals = entry.find('=');
  if (equals == std::string_view::npos) {
    reject(entry, "expected name=action");
  }
  const auto name = entry.substr(0, equals);
  if (!is_known(name)) {
    reject(entry, "no such failpoint");
  }
  auto action = entry.substr(equals + 1);
  std::int64_t on_pass = 1;
  if (const auto at = action.find('@'); at != std::string_view::npos) {
    const auto digits = action.substr(at + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), on_pass);
    if (failure != std::errc{} || end != digits.data() + digits.size() || on_pass < 1) {
      reject(entry, "the pass after @ is a number from 1");
    }
    action = action.substr(0, at);
  }
  if (action != "kill" && action != "throw") {
    reject(entry, "the action is kill or throw");
  }
  return std::make_unique<Armed>(std::string(name), action == "kill" ? Action::kill : Action::fail, on_pass);
}

std::shared_ptr<const Plan> parse_plan(std::string_view text) {
  auto parsed = std::make_shared<Plan>();
  while (!text.empty()) {
    const auto comma = text.find(',');
    parsed->push_back(parse_entry(text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parsed;
}

std::shared_ptr<const Plan> current_plan() {
  const std::lock_guard lock(plan_mutex);
  if (!plan) {
    const char* text = std::getenv("FLEXSYNC_FAILPOINT_PLAN");
    plan = parse_plan(text == nullptr ? "" : text);
  }
  return plan;
}

void act(const Armed& armed) {
  if (armed.action == Action::fail) {
    throw FailpointError("failpoint " + armed.name);
  }
  ::kill(::getpid(), SIGKILL);
  for (;;) {  // the signal is on its way: nothing behind the failpoint may run any more
    ::pause();
  }
}

}  // namespace

const std::vector<std::string_view>& names() {
  static const std::vector<std::string_view> all = {
      "inbox.before_commit",     "inbox.after_commit",   "inbox.before_reply",    "changes.before_commit",
      "changes.mid_transaction", "changes.after_commit", "supervisor.page_read",  "supervisor.event_routed",
      "entity.before_submit",    "entity.after_commit",  "entity.before_refetch", "outbox.intent_committed",
      "outbox.before_send",      "outbox.answered",      "outbox.before_booking", "usage.before_commit",
      "usage.after_commit",      "usage.before_send",    "usage.before_booking",
  };
  return all;
}

void arm(std::string_view plan_text) {
  auto parsed = parse_plan(plan_text);
  const std::lock_guard lock(plan_mutex);
  plan = std::move(parsed);
}

std::optional<std::string> arm_from_environment() {
#ifdef FLEXSYNC_FAILPOINTS
  try {
    current_plan();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
#endif
  return std::nullopt;
}

void pass(std::string_view name) {
  if (!is_known(name)) {
    throw std::logic_error("failpoint \"" + std::string(name) + "\" is not listed in telemetry/failpoint.cpp");
  }
  for (const auto& armed : *current_plan()) {
    if (armed->name == name && armed->passes.fetch_add(1) + 1 == armed->on_pass) {
      act(*armed);
    }
  }
}

}  // namespace flexsync::failpoint
