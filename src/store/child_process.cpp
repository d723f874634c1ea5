#include "store/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

namespace flexsync::store {

namespace {

using namespace std::chrono_literals;
constexpr auto kPollInterval = 10ms;
constexpr std::size_t kPasswdBufferSize = 16'384;

// What the child needs, made before the fork: no allocation is allowed after it.
struct Prepared {
  std::vector<char*> arguments;
  const OsUser* user = nullptr;
  const char* working_dir = nullptr;
  int output = -1;
  int failure = -1;  // the write end of a pipe that exec closes
};

OsUser from_passwd(const passwd& entry) {
  return {entry.pw_uid, entry.pw_gid, entry.pw_name};
}

[[noreturn]] void exec_or_report(const Prepared& prepared) {
  // Our signal mask and ignored signals would be inherited.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGQUIT}) {
    std::signal(signal, SIG_DFL);
  }
  setsid();  // Ctrl-C in our terminal is ours to handle
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(prepared.output, STDOUT_FILENO);
  dup2(prepared.output, STDERR_FILENO);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  const OsUser* user = prepared.user;
  const bool dropped =
      user == nullptr || (setgroups(1, &user->gid) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0);
  umask(0077);
  if (dropped && chdir(prepared.working_dir) == 0) {
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    static char locale[] = "LC_ALL=C.UTF-8";
    std::array<char*, 3> environment = {path, locale, nullptr};
    execve(prepared.arguments[0], prepared.arguments.data(), environment.data());
  }
  const int fault = errno;
  [[maybe_unused]] const auto written = write(prepared.failure, &fault, sizeof fault);
  _exit(127);
}

// An ended process whose parent never asks: an init that does not reap keeps it forever.
bool is_zombie(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(in, stat);
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && name_end + 2 < stat.size() && stat[name_end + 2] == 'Z';
}

Result<int> open_output(const std::filesystem::path& log) {
  const int fd =
      open(log.empty() ? "/dev/null" : log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return fail(ErrorCode::internal_error, "cannot write " + log.string() + ": " + std::strerror(errno));
  }
  return fd;
}

}  // namespace

std::optional<OsUser> find_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(kPasswdBufferSize, '\0');
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(from_passwd(*found));
}

std::optional<OsUser> find_user(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(kPasswdBufferSize, '\0');
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(from_passwd(*found));
}

OsUser current_user() {
  return find_user(geteuid()).value_or(OsUser{geteuid(), getegid(), std::to_string(geteuid())});
}

Result<pid_t> start_child(const ChildOptions& options) {
  auto output = open_output(options.log);
  if (!output) {
    return tl::unexpected(output.error());
  }
  std::array<int, 2> report{};
  if (pipe2(report.data(), O_CLOEXEC) != 0) {
    close(*output);
    return fail(ErrorCode::internal_error, std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  Prepared prepared;
  for (const auto& argument : options.command) {
    prepared.arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  prepared.arguments.push_back(nullptr);
  prepared.user = options.run_as && options.run_as->uid != geteuid() ? &*options.run_as : nullptr;
  prepared.working_dir = options.working_dir.c_str();
  prepared.output = *output;
  prepared.failure = report[1];

  const pid_t pid = fork();
  if (pid == 0) {
    exec_or_report(prepared);
  }
  const int fork_fault = errno;
  close(*output);
  close(report[1]);
  int fault = 0;
  const bool failed = pid > 0 && read(report[0], &fault, sizeof fault) > 0;
  close(report[0]);
  if (pid < 0 || failed) {
    if (pid > 0) {
      waitpid(pid, nullptr, 0);
    }
    return fail(ErrorCode::internal_error, "cannot start " + options.command.front() +
                                               (options.run_as ? " as user " + options.run_as->name : "") + ": " +
                                               std::strerror(pid < 0 ? fork_fault : fault));
  }
  return pid;
}

Result<int> run_child(const ChildOptions& options) {
  auto pid = start_child(options);
  if (!pid) {
    return tl::unexpected(pid.error());
  }
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_alive(pid_t pid) {
  if (pid <= 0) {
    return false;
  }
  const pid_t reaped = waitpid(pid, nullptr, WNOHANG);
  if (reaped == pid) {
    return false;
  }
  return (kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

bool wait_for_end(pid_t pid, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (is_alive(pid)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    pause_for(kPollInterval);
  }
  return true;
}

bool can_enter(const std::filesystem::path& directory, const OsUser& user) {
  const char* path = directory.c_str();
  const pid_t pid = fork();
  if (pid == 0) {
    const bool dropped =
        user.uid == geteuid() || (setgroups(1, &user.gid) == 0 && setgid(user.gid) == 0 && setuid(user.uid) == 0);
    _exit(dropped && chdir(path) == 0 ? 0 : 1);
  }
  int status = 1;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void pause_for(std::chrono::milliseconds time) {
  poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace flexsync::store
