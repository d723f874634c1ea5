#include "http/json_scanner.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace flexsync::test {

namespace {

using http::JsonScanner;
using Kind = JsonScanner::Kind;

bool is_whole(const std::string& text, int depth_max = 64) {
  JsonScanner scanner(text, depth_max);
  scanner.skip();
  return scanner.at_end();
}

// What the scanner reads, as a tree, so that it can be compared with a parser's.
nlohmann::json tree(JsonScanner& scanner) {
  std::string text;
  switch (scanner.next()) {
    case Kind::object: {
      auto object = nlohmann::json::object();
      for (scanner.open('{'); scanner.next_member(text);) {
        const auto name = text;
        object[name] = tree(scanner);
      }
      return object;
    }
    case Kind::array: {
      auto array = nlohmann::json::array();
      for (scanner.open('['); scanner.next_element();) {
        array.push_back(tree(scanner));
      }
      return array;
    }
    case Kind::string:
      scanner.read_string(text);
      return text;
    case Kind::number:
      return nlohmann::json::parse(scanner.read_number(), nullptr, false);
    case Kind::boolean:
      return scanner.read_boolean();
    default:
      scanner.skip();
      return nullptr;
  }
}

const std::vector<std::string> kTexts = {
    R"({"a":[1,-2.5e+3,0,true,false,null],"b":{"c":"x\ny \u00e9 \ud83d\ude00 é"},"":[]})",
    R"([])",
    R"( {"events" : [ {"n":"\"\\\/\b\f\n\r\t"} , {} ] } )",
    R"("lonely")",
    R"(-0.0E-10)",
    R"([[[[{}]]],{"a":{"b":[0.1,10,100]}}])",
};

}  // namespace

TEST_CASE("the scanner reads what the parser reads", "[http][json_scanner]") {
  for (const auto& text : kTexts) {
    INFO(text);
    JsonScanner scanner(text, 64);
    CHECK(tree(scanner) == nlohmann::json::parse(text));
    CHECK(scanner.at_end());
    CHECK(is_whole(text));
  }
}

TEST_CASE("a number keeps its text", "[http][json_scanner]") {
  for (const std::string text :
       {"0", "-0", "1.0", "1E5", "0.1000000000000000055511151231257827", "123456789012345678901234567890", "1e400"}) {
    JsonScanner scanner(text, 1);
    REQUIRE(scanner.next() == Kind::number);
    CHECK(scanner.read_number() == text);
    CHECK(scanner.at_end());
  }
}

TEST_CASE("what is no JSON is broken, and where", "[http][json_scanner]") {
  for (const std::string text : {"",
                                 " ",
                                 "{",
                                 "[",
                                 "[1",
                                 "[1,",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{,}",
                                 "{a:1}",
                                 "{'a':1}",
                                 "nul",
                                 "tru",
                                 "falsy",
                                 "01",
                                 "-",
                                 "1.",
                                 ".5",
                                 "+1",
                                 "1e",
                                 "1e+",
                                 "0x1",
                                 "NaN",
                                 "\"",
                                 "\"\\",
                                 "\"\\u",
                                 "\"\\u12",
                                 "\"\\u12g4\"",
                                 "\"\\x\"",
                                 "\"\\ud800\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\udc00\"",
                                 "\"a\nb\"",
                                 "\"\xFF\"",
                                 "\"\xED\xA0\x80\"",
                                 "{}{}",
                                 "[]]",
                                 "[}",
                                 "{]",
                                 "1 1"}) {
    INFO(text);
    CHECK_FALSE(is_whole(text));
    CHECK_FALSE(nlohmann::json::accept(text));
  }
  JsonScanner scanner("[1,\n 2,\n x]", 8);
  scanner.skip();
  CHECK(scanner.broken());
  CHECK(scanner.place() == 9);
}

TEST_CASE("depth has its limit, whatever is opened", "[http][json_scanner]") {
  CHECK(is_whole("[[]]", 2));
  CHECK_FALSE(is_whole("[[]]", 1));
  CHECK(is_whole("[[],[],{}]", 2));
  CHECK_FALSE(is_whole(std::string(1'000'000, '['), 64));
}

TEST_CASE("scanner and parser agree on any damage to a text", "[http][json_scanner]") {
  rc::prop("one byte changed, taken out or put in", [] {
    auto text = *rc::gen::elementOf(kTexts);
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto byte = *rc::gen::element<char>('{', '}', '[', ']', ',', ':', '"', '\\', '0', '1', '.', 'e', '-', 'u',
                                              'd', ' ', '\n', '\x01', '\x80', '\xC3', 'n');
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.erase(at, 1);
        break;
      default:
        text.insert(at, 1, byte);
    }
    RC_ASSERT(is_whole(text) == nlohmann::json::accept(text));
  });
}

}  // namespace flexsync::test
