#include "http/client_address.hpp"

#include <catch2/catch.hpp>

namespace flexsync::test {

using http::client_address;
using http::NetworkList;

TEST_CASE("networks contain their addresses", "[http][address]") {
  const auto list = NetworkList::parse({"10.0.0.0/8", "192.168.1.7", "2001:db8::/33", "0.0.0.0/0"}, "x").value();
  const auto narrow = NetworkList::parse({"10.128.0.0/9", "192.168.1.7", "2001:db8::/33"}, "x").value();
  CHECK(list.contains("1.2.3.4"));
  CHECK_FALSE(list.contains("3001:db8::1"));  // every IPv4 address is not every address
  CHECK(narrow.contains("10.255.0.1"));
  CHECK(narrow.contains("::ffff:10.255.0.1"));
  CHECK_FALSE(narrow.contains("10.127.0.1"));
  CHECK(narrow.contains("192.168.1.7"));
  CHECK_FALSE(narrow.contains("192.168.1.8"));
  CHECK(narrow.contains("2001:db8:7fff::1"));
  CHECK_FALSE(narrow.contains("2001:db8:8000::1"));
  CHECK_FALSE(narrow.contains("nonsense"));
}

TEST_CASE("entries that are no network are named", "[http][address]") {
  for (const auto* entry : {"", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/8x", "host"}) {
    const auto list = NetworkList::parse({"127.0.0.1", entry}, "http.trusted_proxies");
    INFO(entry);
    REQUIRE_FALSE(list);
    CHECK(list.error().message.find("http.trusted_proxies: \"" + std::string(entry) + "\"") == 0);
  }
}

TEST_CASE("X-Forwarded-For is believed as far as the proxies are", "[http][address]") {
  const auto trusted = NetworkList::parse({"10.0.0.0/8"}, "x").value();
  CHECK(client_address("10.0.0.1", "1.1.1.1", trusted) == "1.1.1.1");
  CHECK(client_address("10.0.0.1", "9.9.9.9, 1.1.1.1 ,10.0.0.2", trusted) == "1.1.1.1");
  CHECK(client_address("10.0.0.1", "10.0.0.3,10.0.0.2", trusted) == "10.0.0.3");
  CHECK(client_address("8.8.8.8", "1.1.1.1", trusted) == "8.8.8.8");
  CHECK(client_address("10.0.0.1", "1.1.1.1, nonsense", trusted) == "10.0.0.1");
  CHECK(client_address("10.0.0.1", "", trusted) == "10.0.0.1");
  CHECK(client_address("10.0.0.1", "1.1.1.1", NetworkList{}) == "10.0.0.1");
}

}  // namespace flexsync::test
