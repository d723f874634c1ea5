#include "app/table.hpp"

#include <catch2/catch.hpp>

using flexsync::app::display_width;
using flexsync::app::printable;
using flexsync::app::Table;

TEST_CASE("columns are as wide as their widest cell, numbers to the right", "[table]") {
  Table table({{"name"}, {"events", true}, {"state"}});
  table.add({"Ada", "7", "applied"});
  table.add({"Grace Hopper", "12345", "superseded"});
  CHECK(table.render() ==
        "name          events  state\n"
        "Ada                7  applied\n"
        "Grace Hopper   12345  superseded\n");
}

TEST_CASE("width counts characters, not bytes", "[table]") {
  Table table({{"name"}, {"city"}});
  table.add({"Zoë", "Köln"});
  table.add({"Adam", "Bonn"});
  CHECK(table.render("  ") ==
        "  name  city\n"
        "  Zoë   Köln\n"
        "  Adam  Bonn\n");
  CHECK(display_width("Zoë…") == 4);
}

TEST_CASE("a cell over its limit is cut at a character", "[table]") {
  Table table({{"reason", false, 6}, {"n", true}});
  table.add({"éééééééé", "1"});
  table.add({"short", "2"});
  table.add({"sixsix", "3"});
  CHECK(table.render() ==
        "reason  n\n"
        "ééééé…  1\n"
        "short   2\n"
        "sixsix  3\n");
}

TEST_CASE("nothing that a cell holds commands the terminal or breaks the line", "[table]") {
  CHECK(printable("a\x1B[31mb\nc\td\x7F") == "a [31mb c d ");
  CHECK(printable("a\xC2\x9B"
                  "b") == "a b");
  CHECK(printable("é\xC2\xA0!") == "é\xC2\xA0!");
}

TEST_CASE("missing cells are empty, surplus ones are left out, no rows leave the header", "[table]") {
  Table table({{"a"}, {"b"}});
  CHECK(table.empty());
  CHECK(table.render() == "a  b\n");
  table.add({"1"});
  table.add({"1", "2", "3"});
  CHECK_FALSE(table.empty());
  CHECK(table.render() == "a  b\n1\n1  2\n");
}
