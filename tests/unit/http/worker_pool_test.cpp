#include "http/worker_pool.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>

namespace flexsync::test {

using http::WorkerPool;

TEST_CASE("a pool runs what it takes and refuses what it cannot hold", "[http][pool]") {
  std::promise<void> running;
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> done = 0;
  WorkerPool pool(1, 2);
  CHECK(pool.submit([&] {
    running.set_value();
    released.wait();
    ++done;
  }));
  running.get_future().wait();
  std::promise<void> last;
  CHECK(pool.submit([&] { ++done; }));
  CHECK(pool.submit([&] { last.set_value(); }));
  CHECK_FALSE(pool.submit([] {}));
  release.set_value();
  last.get_future().wait();
  CHECK(done == 2);
  pool.stop();
  CHECK_FALSE(pool.submit([] {}));
}

TEST_CASE("stopping drops what waits", "[http][pool]") {
  WorkerPool pool(0, 10);
  auto token = std::make_shared<int>();
  CHECK(pool.submit([token] {}));
  CHECK(token.use_count() == 2);
  pool.stop();
  CHECK(token.use_count() == 1);
}

}  // namespace flexsync::test
