#include "telemetry/log.hpp"

#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "domain/clock.hpp"

using namespace flexsync;
using Catch::Matchers::Contains;
using Catch::Matchers::Matches;

namespace {

// Standard error as a file while it lives: what is tested is what a log collector would read.
class CapturedLog {
 public:
  CapturedLog(log::Level level, log::Format format) : file_(std::tmpfile()), before_(::dup(STDERR_FILENO)) {
    ::dup2(::fileno(file_), STDERR_FILENO);
    log::configure(level, format);
  }
  ~CapturedLog() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    std::fclose(file_);
    log::configure(log::Level::info, log::Format::text);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  std::vector<std::string> lines() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (off_t at = 0;;) {
      const auto count = ::pread(::fileno(file_), buffer.data(), buffer.size(), at);
      if (count <= 0) {
        break;
      }
      text.append(buffer.data(), static_cast<std::size_t>(count));
      at += count;
    }
    std::vector<std::string> result;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      result.push_back(line);
    }
    return result;
  }

  nlohmann::json only_line() const {
    const auto all = lines();
    REQUIRE(all.size() == 1);
    return nlohmann::json::parse(all.front());
  }

 private:
  FILE* file_;
  int before_;
};

}  // namespace

TEST_CASE("a JSON line carries time, level, message and typed fields") {
  const CapturedLog captured(log::Level::info, log::Format::json);
  log::warn("webhook stored", {{"event_id", "evt_1"}, {"rows", 12}, {"seconds", 0.5}, {"duplicate", true}});
  const auto line = captured.only_line();
  CHECK(line["level"] == "warn");
  CHECK(line["message"] == "webhook stored");
  CHECK(line["event_id"] == "evt_1");
  CHECK(line["rows"] == 12);
  CHECK(line["seconds"] == 0.5);
  CHECK(line["duplicate"] == true);
  CHECK_FALSE(line.contains("request_id"));
  CHECK_THAT(line["time"].get<std::string>(), Matches(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"));
}

TEST_CASE("the time on a line is UTC, whatever the machine's zone") {
  ::setenv("TZ", "Asia/Tokyo", 1);
  ::tzset();
  nlohmann::json line;
  {
    const CapturedLog captured(log::Level::info, log::Format::json);
    log::info("now");
    line = captured.only_line();
  }
  ::unsetenv("TZ");
  ::tzset();
  const auto logged = parse_rfc3339(line["time"].get<std::string>());
  REQUIRE(logged.has_value());
  CHECK(std::chrono::abs(SystemClock().now() - *logged) < std::chrono::minutes(1));
}

TEST_CASE("no value can break out of its line") {
  const std::string evil = "a\nb\r\n\"c\\\t\x01\x1b[31m {\"level\":\"error\"} \xc3\xbc";
  {
    const CapturedLog captured(log::Level::info, log::Format::json);
    log::info(evil, {{"value", evil}, {"odd \"key\n", evil}});
    const auto line = captured.only_line();
    CHECK(line["message"] == evil);
    CHECK(line["value"] == evil);
    CHECK(line["odd \"key\n"] == evil);
  }
  const CapturedLog captured(log::Level::info, log::Format::text);
  log::info(evil, {{"value", evil}});
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines.front().find('\x1b') == std::string::npos);
}

TEST_CASE("broken UTF-8 and numbers that JSON lacks are logged all the same") {
  const CapturedLog captured(log::Level::info, log::Format::json);
  log::info("odd", {{"bytes", std::string("a\xff\xfe z")}, {"nan", std::numeric_limits<double>::quiet_NaN()}});
  const auto line = captured.only_line();
  CHECK(line["bytes"] == "a\xef\xbf\xbd\xef\xbf\xbd z");
  CHECK(line["nan"].is_null());
}

TEST_CASE("text lines are for people: level, message, fields, quotes only where needed") {
  const CapturedLog captured(log::Level::info, log::Format::text);
  log::error("cannot store", {{"event_id", "evt_1"}, {"why", "no route"}, {"empty", ""}, {"rows", 3}});
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines.front(), Matches(R"(\S+Z error cannot store +event_id=evt_1 why="no route" empty="" rows=3)"));
}

TEST_CASE("lines below the level are not written") {
  const CapturedLog captured(log::Level::warn, log::Format::text);
  log::debug("one");
  log::info("two");
  log::warn("three");
  log::error("four");
  CHECK(captured.lines().size() == 2);
}

TEST_CASE("a request scope marks its own thread's lines while it lives, and nests") {
  const CapturedLog captured(log::Level::info, log::Format::json);
  {
    const log::RequestScope outer("req_1");
    log::info("outer");
    {
      const log::RequestScope inner("req_2");
      log::info("inner");
      std::thread([] { log::info("elsewhere"); }).join();
    }
    log::info("outer again", {{"request_id", "req_own"}});
    log::info("outer once more");
  }
  log::info("after");
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 6);
  const auto id = [&](std::size_t i) { return nlohmann::json::parse(lines[i]).value("request_id", ""); };
  CHECK(id(0) == "req_1");
  CHECK(id(1) == "req_2");
  CHECK(id(2).empty());
  CHECK(id(3) == "req_own");
  CHECK(lines[3].find("req_1") == std::string::npos);
  CHECK(id(4) == "req_1");
  CHECK(id(5).empty());
}

TEST_CASE("lines of several threads never mix") {
  const CapturedLog captured(log::Level::info, log::Format::json);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) {
        log::info("line", {{"thread", t}, {"padding", std::string(200, 'x')}});
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  const auto lines = captured.lines();
  CHECK(lines.size() == 800);
  for (const auto& line : lines) {
    REQUIRE(nlohmann::json::accept(line));
  }
}

TEST_CASE("levels and formats have names; another name is refused with the ones there are") {
  CHECK(log::parse_level("debug") == log::Level::debug);
  CHECK(log::parse_level("error") == log::Level::error);
  CHECK(log::parse_format("json") == log::Format::json);
  CHECK(log::parse_format("text") == log::Format::text);
  CHECK_THROWS_WITH(log::parse_level("loud"), Contains("\"loud\"") && Contains("debug, info, warn or error"));
  CHECK_THROWS_WITH(log::parse_format("xml"), Contains("\"xml\"") && Contains("json or text"));
}
