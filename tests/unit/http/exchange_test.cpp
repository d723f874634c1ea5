#include "http/exchange.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace flexsync::test {

using http::Exchange;
using http::Response;

TEST_CASE("the first answer wins", "[http][exchange]") {
  std::vector<int> delivered;
  {
    Exchange exchange([&](const Response& response) { delivered.push_back(response.status); });
    CHECK(exchange.reply(Response{201, "", http::kJsonType, {}}));
    CHECK_FALSE(exchange.reply(Error{ErrorCode::not_found, "late", {}}));
  }
  CHECK(delivered == std::vector<int>{201});
}

TEST_CASE("an exchange that nobody answered answers 503", "[http][exchange]") {
  std::vector<int> delivered;
  {
    const Exchange exchange([&](const Response& response) { delivered.push_back(response.status); });
  }
  CHECK(delivered == std::vector<int>{503});
}

TEST_CASE("threads that race to answer: one does", "[http][exchange]") {
  std::atomic<int> delivered = 0;
  Exchange exchange([&](const Response&) { ++delivered; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { exchange.reply(Response{}); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(delivered == 1);
}

}  // namespace flexsync::test
