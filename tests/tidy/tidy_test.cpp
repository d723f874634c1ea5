// Style is a test: the whole tree is checked, and the checks themselves on small bad samples.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules.hpp"

namespace fs = std::filesystem;
using flexsync::tidy::check;
using flexsync::tidy::Findings;
using flexsync::tidy::SourceFile;
using flexsync::tidy::without_comments_and_strings;

namespace {

std::vector<SourceFile> own_files() {
  std::vector<SourceFile> files;
  const fs::path root = FLEXSYNC_SOURCE_DIR;
  for (const auto* folder : {"src", "tests", "tools"}) {
    for (fs::recursive_directory_iterator at(root / folder), end; at != end; ++at) {
      if (at->path().filename() == "node_modules") {
        at.disable_recursion_pending();
        continue;
      }
      const auto kind = at->path().extension();
      if (kind == ".cpp" || kind == ".hpp" || kind == ".sql") {
        std::ifstream in(at->path(), std::ios::binary);
        files.push_back({at->path().lexically_relative(root).string(), {std::istreambuf_iterator<char>(in), {}}});
      }
    }
  }
  return files;
}

// The findings of a sample, without the path and "line: ".
Findings findings(const std::string& path, const std::string& text) {
  return check({path, text});
}

bool says(const Findings& all, const std::string& beginning, const std::string& part) {
  return std::any_of(all.begin(), all.end(), [&](const auto& finding) {
    return finding.starts_with(beginning) && finding.find(part) != std::string::npos;
  });
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += "  f();\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the tree keeps its rules", "[tidy]") {
  const auto files = own_files();
  CHECK(files.size() > 20);
  for (const auto& file : files) {
    for (const auto& finding : check(file)) {
      FAIL_CHECK(finding);
    }
  }
}

TEST_CASE("long lines are found, by columns and not bytes", "[tidy]") {
  CHECK(says(findings("src/domain/a.cpp", "\n" + std::string(121, 'x')), "src/domain/a.cpp:2: ", "121 columns"));
  CHECK(findings("src/domain/a.cpp", std::string(120, 'x')).empty());
  std::string wide;
  for (int i = 0; i < 120; ++i) {
    wide += "ä";
  }
  CHECK(findings("src/domain/a.cpp", "// " + wide.substr(0, 2 * 117)).empty());
  CHECK(says(findings("src/store/migrations/0001.sql", std::string(121, 'x')), "src/store/", "columns"));
}

TEST_CASE("long functions are found, whatever they look like", "[tidy]") {
  const std::string path = "src/domain/a.cpp";
  const auto too_long = [&](const std::string& head, const std::string& tail = "}\n") {
    return says(findings(path, head + lines(69) + tail), path + ":", "the function has 71 lines");
  };
  CHECK(too_long("void f(int a) {\n"));
  CHECK(too_long("namespace n {\nResult<void> A::f() const {\n", "}\n}\n"));
  CHECK(too_long("A::A() : a_{1}, b_(2) {\n"));
  CHECK(too_long("A::A(int x)\n    : a_{x},\n      b_{x} {\n"));
  CHECK(too_long("struct A {\n  void f() {\n", "  }\n};\n"));
  CHECK(too_long("template <class T>\nT f(T x = {}) {\n"));
  CHECK(too_long("TEST_CASE(\"{ } ;\") {\n"));
  CHECK(too_long("struct X f() {\n") == false);  // reads as a type; nobody writes this
  CHECK(findings(path, "void f() {\n" + lines(68) + "}\n").empty());
  CHECK(findings(path, "namespace n {\n" + lines(100) + "}\n").empty());
  CHECK(findings(path, "struct A {\n" + lines(100) + "};\n").empty());
  CHECK(findings(path, "class A : public B {\n" + lines(100) + "};\n").empty());
  CHECK(findings(path, "const Table kTable = {\n" + lines(100) + "};\n").empty());
  CHECK(findings(path, "void f() {\n}\n" + lines(100) + "void g() {\n}\n").empty());
}

TEST_CASE("comments and strings are no code", "[tidy]") {
  CHECK(without_comments_and_strings("a(\"{\", '}'); // {\nb /* { \n } */ c") == "a(   ,    );     \nb      \n      c");
  CHECK(without_comments_and_strings("f(R\"x(\n{ \" )x\") + 1'000;") == "f(    \n       ) + 1'000;");
  CHECK(without_comments_and_strings(R"("\"{" + '\'')") == "      +     ");
}

TEST_CASE("includes against the direction are found", "[tidy]") {
  const auto refused = [](const std::string& path, const std::string& header) {
    return !findings(path, "#include " + header + "\n").empty();
  };
  CHECK(refused("src/telemetry/a.cpp", "\"domain/time.hpp\""));
  CHECK(refused("src/domain/a.cpp", "\"store/session.hpp\""));
  CHECK(refused("src/stripe/a.cpp", "\"sync/customer.hpp\""));
  CHECK(refused("src/store/a.cpp", "\"stripe/customer.hpp\""));
  CHECK(refused("src/sync/a.cpp", "\"store/session.hpp\""));
  CHECK(refused("src/actors/a.cpp", "\"http/router.hpp\""));
  CHECK(refused("src/http/a.cpp", "\"store/session.hpp\""));
  CHECK(refused("tools/stripe_sim/a.cpp", "\"domain/time.hpp\""));
  CHECK(refused("src/domain/a.cpp", "<caf/all.hpp>"));
  CHECK(refused("src/app/a.cpp", "<boost/beast/core.hpp>"));
  CHECK(refused("src/actors/a.cpp", "<pqxx/pqxx>"));
  CHECK(refused("src/app/a.cpp", "<libpq-fe.h>"));
  CHECK(refused("src/stripe/customer.cpp", "<curl/curl.h>"));
  CHECK_FALSE(refused("src/stripe/curl_transport.cpp", "<curl/curl.h>"));
  CHECK_FALSE(refused("src/sync/a.cpp", "\"stripe/customer.hpp\""));
  CHECK_FALSE(refused("src/app/main.cpp", "\"http/server.hpp\""));
  CHECK_FALSE(refused("src/actors/a.cpp", "<caf/all.hpp>"));
  CHECK_FALSE(refused("tools/stripe_sim/a.cpp", "<boost/asio.hpp>"));
  CHECK_FALSE(refused("tests/actor/a_test.cpp", "<pqxx/pqxx>"));
  CHECK(says(findings("src/http/a.cpp", "\n#include \"store/session.hpp\"\n"),
             "src/http/a.cpp:2: ", "it may use domain, telemetry; declare a port in src/domain"));
}

TEST_CASE("banned words are found in code, with what to use instead", "[tidy]") {
  const std::string pause =
      "std::this_thread::sleep"
      "_for(1s);";
  CHECK(says(findings("src/actors/a.cpp",
                      "x\nr.await"
                      "(a, b);"),
             "src/actors/a.cpp:2: ", ".then("));
  CHECK(says(findings("src/actors/a.cpp",
                      "caf::infin"
                      "ite"),
             "src/actors/", "finite timeout"));
  CHECK(says(findings("tests/unit/a_test.cpp", pause), "tests/", "a condition, poll or a timer"));
  CHECK(says(findings("src/store/a.cpp", "std::chrono::system_clock::now()"), "src/store/", "take a Clock"));
  CHECK(findings("src/domain/clock.cpp", "std::chrono::system_clock::now()").empty());
  CHECK(says(findings("src/sync/a.cpp", "double price;"), "src/sync/", "exact"));
  CHECK(findings("src/sync/a.cpp", "int doubled; // double").empty());
  CHECK(findings("src/telemetry/a.cpp", "double seconds;").empty());
  CHECK(says(findings("src/sync/a.cpp",
                      "// TO"
                      "DO later"),
             "src/sync/", "file an issue"));
  CHECK(says(findings("tools/stripe_sim/a.cpp",
                      "// FIX"
                      "ME"),
             "tools/", "file an issue"));
  CHECK(says(findings("src/http/a.cpp", "q(\"SELECT 1\");"), "src/http/", "SQL belongs in src/store"));
  CHECK(findings("src/store/a.cpp", "q(\"SELECT 1\");").empty());
}
