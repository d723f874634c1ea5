#include "http/utf8.hpp"

#include <catch2/catch.hpp>

namespace flexsync::test {

using http::is_utf8;

TEST_CASE("UTF-8 is told from what only looks like it", "[http][utf8]") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("é€😀"));
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("\xC3"));              // cut off
  CHECK_FALSE(is_utf8("\xC0\xAF"));          // overlong
  CHECK_FALSE(is_utf8("\xE0\x80\xAF"));      // overlong
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));      // half a surrogate pair
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
}

TEST_CASE("characters are counted, not bytes", "[http][utf8]") {
  CHECK(http::length_of("") == 0);
  CHECK(http::length_of("aé€😀") == 4);
}

TEST_CASE("a character is written in as many bytes as it needs", "[http][utf8]") {
  std::string text;
  for (const auto code : {0x41U, 0xE9U, 0x20ACU, 0x1F600U}) {
    http::append_utf8(text, code);
  }
  CHECK(text == "Aé€😀");
}

}  // namespace flexsync::test
