// A real PostgreSQL for tests: one private cluster per test process, started at first use, removed at exit.
//
//   auto& postgres = PostgresFixture::instance();
//   const TestDatabase db = postgres.fresh_database();                     // empty
//   const TestDatabase db = postgres.fresh_database("migrated", migrate);  // a copy of what migrate(url) made once
//
// fsync is off, since only processes are killed here, never the machine; FLEXSYNC_TEST_FSYNC=on turns it on.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "store/embedded_cluster.hpp"

namespace flexsync::testing {

// Dropped when it goes, with whatever is still connected to it.
class TestDatabase {
 public:
  TestDatabase(std::string name, std::string url) : name_(std::move(name)), url_(std::move(url)) {}
  TestDatabase(TestDatabase&& other) noexcept;
  TestDatabase& operator=(TestDatabase&&) = delete;
  ~TestDatabase();

  const std::string& name() const { return name_; }
  const std::string& url() const { return url_; }  // as the superuser

 private:
  std::string name_;
  std::string url_;
};

class PostgresFixture {
 public:
  // Throws when PostgreSQL cannot be started: no test can do without.
  static PostgresFixture& instance();

  TestDatabase fresh_database();
  TestDatabase fresh_database(const std::string& template_name, const std::function<void(const std::string&)>& prepare);

  // Faults. None of them is repaired by itself: start() brings PostgreSQL back.
  void stop();
  void start();
  void kill9();                                          // the postmaster; its children follow by themselves
  void terminate_backends(const std::string& database);  // cuts every connection to it, but keeps serving

  pid_t pid() const { return cluster_->pid(); }
  std::string url(const std::string& database) const;

  ~PostgresFixture();

 private:
  PostgresFixture();
  void execute(const std::string& sql) const;

  std::filesystem::path directory_;
  std::unique_ptr<store::EmbeddedCluster> cluster_;
  std::set<std::string> templates_;
  int databases_made_ = 0;

  friend class TestDatabase;
};

// A directory below /tmp that is gone when it goes.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& prefix = "flexsync-dir-");
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace flexsync::testing
