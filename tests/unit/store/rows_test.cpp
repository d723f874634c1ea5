#include "store/rows.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::store;

TEST_CASE("text that a column can hold is told from text it cannot", "[rows]") {
  for (const std::string good : {"", "a", "\x7F", "ä", "€", "😀", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    CAPTURE(good);
    CHECK(is_storable(good));
  }
  for (const std::string& bad :
       {std::string("a\0b", 3), std::string("\x80"), std::string("\xC0\x80"), std::string("\xC3"), std::string("\xC3("),
        std::string("\xE0\x80\x80"), std::string("\xED\xA0\x80"), std::string("\xF0\x80\x80\x80"),
        std::string("\xF4\x90\x80\x80"), std::string("\xF5\x80\x80\x80"), std::string("\xFF")}) {
    CAPTURE(bad);
    CHECK_FALSE(is_storable(bad));
  }
}

TEST_CASE("what others say is kept, but for the bytes that a column cannot hold", "[rows]") {
  CHECK(storable("ä €😀") == "ä €😀");
  CHECK(storable("").empty());
  CHECK(storable(std::string("a\0b", 3)) ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(storable("Gr\xFC\xDF") == "Gr\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(storable("cut \xE2\x82") == "cut \xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("metadata goes to jsonb and comes back", "[rows]") {
  const Metadata metadata = {{"", ""}, {"plan", "gold"}, {"quote\"\\", "line\nbreak"}, {"ключ", "😀"}};
  CHECK(metadata_from_json(metadata_to_json(metadata)) == metadata);
  CHECK(metadata_to_json({}) == "{}");
}

TEST_CASE("metadata that jsonb would refuse is mended, not lost", "[rows]") {
  const auto json = metadata_to_json({{"zero", std::string("a\0b", 3)}, {"broken", "\xFF"}});
  CHECK(metadata_from_json(json) == Metadata{{"zero",
                                              "a\xEF\xBF\xBD"
                                              "b"},
                                             {"broken", "\xEF\xBF\xBD"}});
}

TEST_CASE("a value in metadata that is no text is kept as its JSON", "[rows]") {
  CHECK(metadata_from_json(R"({"n": 1, "list": [true, null]})") == Metadata{{"n", "1"}, {"list", "[true,null]"}});
  for (const auto* bad : {"", "[]", "nul", "{"}) {
    CHECK_THROWS_AS(metadata_from_json(bad), std::runtime_error);
  }
}
