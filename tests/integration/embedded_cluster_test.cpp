// The embedded PostgreSQL through everything that may happen to it.
#include "store/embedded_cluster.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <future>
#include <pqxx/pqxx>

#include "store/child_process.hpp"
#include "support/postgres_fixture.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using flexsync::store::EmbeddedCluster;
using flexsync::store::EmbeddedClusterOptions;
using flexsync::store::pause_for;
using flexsync::store::wait_for_end;
using flexsync::testing::TemporaryDirectory;

namespace {

struct Server {
  std::vector<std::string> said;
  std::unique_ptr<EmbeddedCluster> cluster;
  std::string error;

  bool said_anything_about(const std::string& text) const {
    return std::any_of(said.begin(), said.end(),
                       [&](const auto& line) { return line.find(text) != std::string::npos; });
  }
};

Server start(EmbeddedClusterOptions options) {
  Server server;
  options.settings["shared_buffers"] = "32MB";
  options.settings.emplace("fsync", "off");  // processes are killed here, never the machine
  auto said = std::make_shared<std::vector<std::string>>();
  options.announce = [said](const std::string& text) { said->push_back(text); };
  auto started = EmbeddedCluster::start(std::move(options));
  if (started) {
    server.cluster = std::move(*started);
  } else {
    server.error = started.error().message;
  }
  server.said = *said;
  return server;
}

Server start(const fs::path& data_dir) {
  return start({.data_dir = data_dir});
}

std::string query(const EmbeddedCluster& cluster, const std::string& sql) {
  pqxx::connection connection(cluster.connection_string());
  const auto rows = pqxx::nontransaction(connection).exec(sql);
  return rows.empty() || rows[0][0].is_null() ? "" : rows[0][0].as<std::string>();
}

// A server process of its own that is killed without warning; afterwards its PostgreSQL runs on without it.
pid_t start_and_kill_a_server(const fs::path& data_dir) {
  int channel[2];
  REQUIRE(pipe(channel) == 0);
  const pid_t server = fork();
  if (server == 0) {
    auto own = start(data_dir);
    const pid_t postgres = own.cluster ? own.cluster->pid() : -1;
    if (own.cluster) {
      query(*own.cluster, "CREATE TABLE kept AS SELECT 42 AS answer");
    }
    [[maybe_unused]] const auto written = write(channel[1], &postgres, sizeof postgres);
    pause();
    _exit(1);
  }
  pid_t postgres = -1;
  REQUIRE(read(channel[0], &postgres, sizeof postgres) == sizeof postgres);
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  close(channel[0]);
  close(channel[1]);
  return postgres;
}

template <class Condition>
bool within(std::chrono::milliseconds timeout, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    pause_for(20ms);
  }
  return true;
}

bool answers(const EmbeddedCluster& cluster) {
  try {
    return query(cluster, "SELECT 'yes'") == "yes";
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

TEST_CASE("the first start makes a durable cluster that only a socket reaches", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const auto server = start({.data_dir = dir / "var", .settings = {{"fsync", "on"}}});
  REQUIRE(server.error.empty());
  const auto& cluster = *server.cluster;
  CHECK_FALSE(cluster.adopted());
  CHECK(query(cluster, "SELECT current_database()") == "flexsync");
  CHECK(query(cluster, "SHOW listen_addresses").empty());
  CHECK(query(cluster, "SHOW fsync") == "on");
  CHECK(query(cluster, "SHOW synchronous_commit") == "on");
  CHECK(query(cluster, "SHOW server_encoding") == "UTF8");
  CHECK(query(cluster, "SELECT datcollate FROM pg_database WHERE datname = 'flexsync'") == "C.UTF-8");
  CHECK(query(cluster, "SHOW shared_buffers") == "32MB");  // an override wins
  CHECK(fs::status(cluster.socket_dir()).permissions() == fs::perms::owner_all);
  CHECK(fs::status(cluster.cluster_dir()).permissions() == fs::perms::owner_all);
}

TEST_CASE("a stopped cluster is used again with what it held", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  auto first = start(dir / "var");
  REQUIRE(first.error.empty());
  query(*first.cluster, "CREATE TABLE kept AS SELECT 42 AS answer");
  const pid_t pid = first.cluster->pid();
  first.cluster->stop();
  CHECK(wait_for_end(pid, 0ms));

  const auto second = start(dir / "var");
  REQUIRE(second.error.empty());
  CHECK_FALSE(second.cluster->adopted());
  CHECK(query(*second.cluster, "SELECT answer FROM kept") == "42");
}

TEST_CASE("a cluster left by a killed server is adopted", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const pid_t left = start_and_kill_a_server(dir / "var");
  REQUIRE(left > 0);
  CHECK_FALSE(wait_for_end(left, 0ms));

  auto server = start(dir / "var");
  REQUIRE(server.error.empty());
  CHECK(server.cluster->adopted());
  CHECK(server.cluster->pid() == left);
  CHECK(query(*server.cluster, "SELECT answer FROM kept") == "42");
  server.cluster->stop();
  CHECK(wait_for_end(left, 0ms));
}

TEST_CASE("a database that a killed server was still making is taken when it comes", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  REQUIRE(start_and_kill_a_server(dir / "var") > 0);
  const auto superuser = "host=" + (dir / "var" / "postgres-socket").string() + " user=postgres dbname=";
  pqxx::connection elsewhere(superuser + "postgres");
  pqxx::nontransaction sql(elsewhere);
  sql.exec("ALTER DATABASE flexsync RENAME TO on_its_way");
  pqxx::connection copying(superuser + "template1");  // as CREATE DATABASE does: another one is refused meanwhile
  auto started = std::async(std::launch::async, [&] { return start(dir / "var"); });
  REQUIRE(within(10s, [&] {
    return !sql.exec("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%' AND state = 'active'").empty();
  }));
  sql.exec("ALTER DATABASE on_its_way RENAME TO flexsync");
  const auto server = started.get();
  CHECK(server.error.empty());
  REQUIRE(server.cluster);
  CHECK(query(*server.cluster, "SELECT answer FROM kept") == "42");
}

TEST_CASE("a cluster killed together with its server recovers", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const pid_t left = start_and_kill_a_server(dir / "var");
  REQUIRE(left > 0);
  kill(left, SIGKILL);

  const auto server = start(dir / "var");
  REQUIRE(server.error.empty());
  CHECK(server.cluster->pid() != left);
  CHECK(query(*server.cluster, "SELECT answer FROM kept") == "42");
}

TEST_CASE("PostgreSQL killed under a running server is back by itself", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const auto server = start(dir / "var");
  REQUIRE(server.error.empty());
  const auto& cluster = *server.cluster;
  query(cluster, "CREATE TABLE kept AS SELECT 42 AS answer");
  for (int round = 0; round < 3; ++round) {
    const pid_t before = cluster.pid();
    kill(before, SIGKILL);
    CHECK(within(30s, [&] { return cluster.pid() != before && answers(cluster); }));
  }
  CHECK(query(cluster, "SELECT answer FROM kept") == "42");
}

TEST_CASE("halt and resume are not undone by the watcher", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const auto server = start(dir / "var");
  REQUIRE(server.error.empty());
  REQUIRE(server.cluster->halt());
  CHECK_FALSE(within(600ms, [&] { return answers(*server.cluster); }));
  REQUIRE(server.cluster->resume());
  CHECK(answers(*server.cluster));
}

TEST_CASE("two servers cannot share a data directory", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const auto first = start(dir / "var");
  REQUIRE(first.error.empty());

  const auto second = start(dir / "var");
  CHECK(second.cluster == nullptr);
  CHECK(second.error.find("another flexsync (pid " + std::to_string(getpid()) + ") uses " + dir.path().string()) !=
        std::string::npos);
  CHECK(second.error.find("data_dir") != std::string::npos);

  SECTION("but a command may use the running one, and leaves it running") {
    auto command = start({.data_dir = dir / "var", .share_running = true});
    REQUIRE(command.error.empty());
    CHECK(answers(*command.cluster));
    command.cluster->stop();
    CHECK(answers(*first.cluster));
  }
}

TEST_CASE("a directory that only root may enter", "[embedded_cluster]") {
  if (geteuid() != 0) {
    WARN("needs root");
    return;
  }
  const TemporaryDirectory dir;
  const TemporaryDirectory elsewhere;
  const fs::path data_dir = dir / "private/var";
  fs::create_directories(dir / "private");
  fs::permissions(dir / "private", fs::perms::owner_all);
  const EmbeddedClusterOptions options = {.data_dir = data_dir, .fallback_root = elsewhere.path()};
  {
    const auto server = start(options);
    REQUIRE(server.error.empty());
    CHECK(server.said_anything_about("so the database is in " + elsewhere.path().string()));
    CHECK(server.cluster->cluster_dir().string().starts_with(elsewhere.path().string()));
    query(*server.cluster, "CREATE TABLE kept AS SELECT 42 AS answer");
  }
  SECTION("is found again") {
    const auto again = start(options);
    REQUIRE(again.error.empty());
    CHECK(query(*again.cluster, "SELECT answer FROM kept") == "42");
    const auto second = start(options);
    CHECK(second.error.find("another flexsync") != std::string::npos);
  }
  SECTION("removed, it begins anew and the old database is not touched") {
    fs::remove_all(data_dir);
    const auto anew = start(options);
    REQUIRE(anew.error.empty());
    CHECK(anew.said_anything_about("an earlier database of " + data_dir.string() + " is left in "));
    CHECK(query(*anew.cluster, "SELECT to_regclass('kept')").empty());
  }
}

TEST_CASE("a path too long for a socket", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  const fs::path data_dir = dir / std::string(60, 'a') / std::string(60, 'b');
  const auto server = start(data_dir);
  REQUIRE(server.error.empty());
  CHECK(server.said_anything_about("is too long for a socket"));
  CHECK(server.cluster->cluster_dir().string().starts_with(data_dir.string()));
  CHECK(answers(*server.cluster));
  fs::remove_all(server.cluster->socket_dir().string());
}

TEST_CASE("what cannot work says why", "[embedded_cluster]") {
  const TemporaryDirectory dir;
  SECTION("a data directory that is a file") {
    std::ofstream(dir / "var") << "not a directory";
    CHECK(start(dir / "var").error.find("set data_dir (FLEXSYNC_DATA_DIR)") != std::string::npos);
  }
  SECTION("a setting that PostgreSQL refuses") {
    const auto server = start({.data_dir = dir / "var", .settings = {{"max_connections", "many"}}});
    CHECK(server.error.find("max_connections") != std::string::npos);
    CHECK(server.error.find("postgres.log") != std::string::npos);
  }
  SECTION("an interrupted initdb is begun anew") {
    fs::create_directories(dir / "var/postgres.new/base");
    CHECK(start(dir / "var").error.empty());
  }
}

TEST_CASE("the fixture gives each test its own database and brings faults", "[postgres_fixture]") {
  auto& postgres = flexsync::testing::PostgresFixture::instance();
  int prepared = 0;
  const auto prepare = [&](const std::string& url) {
    pqxx::connection connection(url);
    pqxx::nontransaction(connection).exec("CREATE TABLE made (n int)");
    ++prepared;
  };
  const auto one = postgres.fresh_database("a_template", prepare);
  const auto two = postgres.fresh_database("a_template", prepare);
  CHECK(prepared == 1);
  CHECK(one.name() != two.name());

  pqxx::connection connection(one.url());
  pqxx::nontransaction(connection).exec("INSERT INTO made VALUES (1)");
  postgres.terminate_backends(one.name());
  CHECK_THROWS_AS(pqxx::nontransaction(connection).exec("SELECT 1"), pqxx::broken_connection);

  postgres.kill9();
  postgres.start();
  postgres.stop();
  CHECK_THROWS_AS(pqxx::connection(one.url()), pqxx::broken_connection);
  postgres.start();
  pqxx::connection back(one.url());
  CHECK(pqxx::nontransaction(back).exec("SELECT n FROM made")[0][0].as<int>() == 1);
}
