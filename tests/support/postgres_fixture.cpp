#include "support/postgres_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <pqxx/pqxx>
#include <stdexcept>

#include "store/child_process.hpp"
#include "store/directory_lock.hpp"

namespace flexsync::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto kPrefix = "flexsync-test-";
constexpr auto kStaleAge = 60s;
constexpr auto kDeathTimeout = 10s;

fs::path make_temporary(const std::string& prefix) {
  std::string pattern = "/tmp/" + prefix + "XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory below /tmp");
  }
  // mkdtemp's 0700 would keep the user PostgreSQL runs as out.
  fs::permissions(pattern, fs::perms::others_exec | fs::perms::group_exec, fs::perm_options::add);
  return pattern;
}

// A cluster that a killed test process left running: its lock is free.
void remove_if_left_over(const fs::path& directory) {
  std::error_code failed;
  store::DirectoryLock lock;
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(directory, failed);
  if (failed || age < kStaleAge || lock.take(directory / "flexsync.lock") != store::DirectoryLock::Outcome::taken) {
    return;
  }
  pid_t pid = 0;
  std::ifstream(directory / "postgres" / "postmaster.pid") >> pid;
  const auto working_dir = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd", failed);
  if (pid > 0 && !failed && working_dir == directory / "postgres") {
    kill(pid, SIGQUIT);
    store::wait_for_end(pid, kDeathTimeout);
  }
  fs::remove_all(directory, failed);
}

void remove_left_overs() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/tmp", ignored)) {
    if (entry.path().filename().string().starts_with(kPrefix)) {
      remove_if_left_over(entry.path());
    }
  }
}

std::string fsync_setting() {
  const char* wanted = std::getenv("FLEXSYNC_TEST_FSYNC");
  return wanted == nullptr ? "off" : wanted;
}

}  // namespace

// --- databases ------------------------------------------------------------------------------------------------

TestDatabase::TestDatabase(TestDatabase&& other) noexcept
    : name_(std::exchange(other.name_, {})), url_(std::move(other.url_)) {}

TestDatabase::~TestDatabase() {
  if (name_.empty()) {
    return;
  }
  try {
    PostgresFixture::instance().execute("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const std::exception& error) {
    std::cerr << "database " << name_ << " stays until the cluster goes: " << error.what() << "\n";
  }
}

TestDatabase PostgresFixture::fresh_database() {
  const std::string name = "test_" + std::to_string(++databases_made_);
  execute("CREATE DATABASE " + name);
  return {name, url(name)};
}

TestDatabase PostgresFixture::fresh_database(const std::string& template_name,
                                             const std::function<void(const std::string&)>& prepare) {
  if (templates_.insert(template_name).second) {
    execute("CREATE DATABASE " + template_name);
    prepare(url(template_name));
  }
  const std::string name = "test_" + std::to_string(++databases_made_);
  execute("CREATE DATABASE " + name + " TEMPLATE " + template_name);
  return {name, url(name)};
}

// --- the cluster ----------------------------------------------------------------------------------------------

PostgresFixture& PostgresFixture::instance() {
  static PostgresFixture fixture;
  return fixture;
}

PostgresFixture::PostgresFixture() {
  remove_left_overs();
  directory_ = make_temporary(kPrefix);
  auto started = store::EmbeddedCluster::start({.data_dir = directory_,
                                                .settings = {{"shared_buffers", "64MB"}, {"fsync", fsync_setting()}},
                                                .watch = false,
                                                .announce = [](const std::string&) {}});
  if (!started) {
    throw std::runtime_error(started.error().message);
  }
  cluster_ = std::move(*started);
}

PostgresFixture::~PostgresFixture() {
  cluster_->stop();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void PostgresFixture::execute(const std::string& sql) const {
  pqxx::connection connection(cluster_->connection_string());
  pqxx::nontransaction(connection).exec(sql);
}

std::string PostgresFixture::url(const std::string& database) const {
  return cluster_->connection_string(store::EmbeddedCluster::kSuperuser, database);
}

void PostgresFixture::stop() {
  if (auto halted = cluster_->halt(); !halted) {
    throw std::runtime_error(halted.error().message);
  }
}

void PostgresFixture::start() {
  if (auto resumed = cluster_->resume(); !resumed) {
    throw std::runtime_error(resumed.error().message);
  }
}

void PostgresFixture::kill9() {
  kill(pid(), SIGKILL);
  store::wait_for_end(pid(), kDeathTimeout);
}

void PostgresFixture::terminate_backends(const std::string& database) {
  execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database + "'");
}

// --- directories ----------------------------------------------------------------------------------------------

TemporaryDirectory::TemporaryDirectory(const std::string& prefix) : path_(make_temporary(prefix)) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace flexsync::testing
