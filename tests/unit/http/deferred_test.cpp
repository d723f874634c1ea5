#include "http/deferred.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

const std::string kKeyHeader = std::string("x-api-key: ") + kApiKey + "\r\n";
const std::string kNewCustomer = R"({"external_id":"ext_1"})";

// Takes commands and keeps their replies until the test wants them answered.
struct HeldCommands {
  explicit HeldCommands(FakeCustomerCommands& commands) {
    commands.on_execute = [this](const CustomerCommand&, FakeCustomerCommands::Reply reply) {
      const std::lock_guard lock(mutex);
      replies.push_back(std::move(reply));
      changed.notify_all();
    };
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return replies.size() >= count; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<FakeCustomerCommands::Reply> replies;
};

}  // namespace

TEST_CASE_METHOD(HttpFixture, "requests that wait hold no worker", "[http][deferred]") {
  config.worker_threads = 1;
  HeldCommands held(customer_commands);
  std::vector<std::unique_ptr<RawClient>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(std::make_unique<RawClient>(port()));
    waiting.back()->send(request_text("POST", "/v1/customers", kKeyHeader, kNewCustomer));
  }
  held.wait_for(5);
  CHECK(as_key("GET", "/v1/customers").status == 200);
  for (const auto& reply : held.replies) {
    reply(CustomerReply{});
  }
  for (const auto& client : waiting) {
    CHECK(client->read_reply().status == 201);
  }
}

TEST_CASE_METHOD(HttpFixture, "a client that hangs up before the answer harms nobody", "[http][deferred]") {
  HeldCommands held(customer_commands);
  {
    RawClient client(port());
    client.send(request_text("POST", "/v1/customers", kKeyHeader, kNewCustomer));
    held.wait_for(1);
  }
  held.replies.at(0)(CustomerReply{});
  CHECK(as_key("GET", "/v1/customers").status == 200);
}

TEST_CASE_METHOD(HttpFixture, "draining waits for what is deferred", "[http][deferred][drain]") {
  HeldCommands held(customer_commands);
  RawClient client(port());
  client.send(request_text("POST", "/v1/customers", kKeyHeader, kNewCustomer));
  held.wait_for(1);
  auto drained = std::async(std::launch::async, [&] { return server->drain(std::chrono::seconds(10)); });
  held.replies.at(0)(CustomerReply{});
  CHECK(client.read_reply().status == 201);
  CHECK(client.is_closed());
  CHECK(drained.get());
}

TEST_CASE_METHOD(HttpFixture, "an answer that comes after the server has stopped is dropped", "[http][deferred]") {
  HeldCommands held(customer_commands);
  RawClient client(port());
  client.send(request_text("POST", "/v1/customers", kKeyHeader, kNewCustomer));
  held.wait_for(1);
  server->stop();
  server.reset();
  held.replies.at(0)(CustomerReply{});
  CHECK(client.is_closed());
}

TEST_CASE_METHOD(HttpFixture, "an answer that never comes is 503, and the one after it is dropped",
                 "[http][deferred][timeouts]") {
  HeldCommands held(customer_commands);
  SECTION("because it takes too long") {
    config.answer_timeout_ms = 50;
    CHECK(as_key("POST", "/v1/customers", kNewCustomer).status == 503);
    held.replies.at(0)(CustomerReply{});
  }
  SECTION("because its callback is dropped") {
    customer_commands.on_execute = [](const CustomerCommand&, const FakeCustomerCommands::Reply&) {};
    CHECK(as_key("POST", "/v1/customers", kNewCustomer).status == 503);
  }
  CHECK(as_key("GET", "/v1/customers").status == 200);
}

TEST_CASE_METHOD(HttpFixture, "a deferred handler that throws is 500", "[http][deferred]") {
  customer_commands.on_execute = [](const CustomerCommand&, const FakeCustomerCommands::Reply&) {
    throw std::runtime_error("out of luck");
  };
  const auto reply = as_key("POST", "/v1/customers", kNewCustomer);
  CHECK(reply.status == 500);
  CHECK(reply.body.find("luck") == std::string::npos);
}

TEST_CASE("nothing is thrown into the thread that replies", "[http][deferred]") {
  std::optional<http::Response> answered;
  auto exchange = std::make_shared<http::Exchange>([&](http::Response response) { answered = std::move(response); });
  const auto reply = http::answering<int>(exchange, "req_1", [](int value) -> http::Response {
    if (value > 1) {
      throw std::runtime_error("cannot be rendered");
    }
    return http::no_content();
  });
  SECTION("a value is rendered") {
    reply(1);
    CHECK(answered.value().status == 204);
  }
  SECTION("an error is its own answer") {
    reply(fail(ErrorCode::not_found, "gone"));
    CHECK(answered.value().status == 404);
  }
  SECTION("a renderer that throws is 500") {
    reply(2);
    CHECK(answered.value().status == 500);
  }
}

}  // namespace flexsync::test
