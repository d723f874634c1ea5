// A read whose reply is a value: what the sources of the actors hand to the read pool.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "store/read_pool.hpp"

namespace flexsync::store {

// Runs `work`, which fills a value, and hands on the value or the error.
template <class Value, class Work>
void submit(ReadPool& pool, const std::optional<Scope>& scope, const char* what, Work work,
            std::function<void(Result<Value>)> reply) {
  auto value = std::make_shared<Value>();
  pool.submit(
      scope, what, [value, work = std::move(work)](pqxx::transaction_base& tx) { *value = work(tx); },
      [value, reply = std::move(reply)](std::optional<Error> error) {
        if (error) {
          reply(tl::unexpected(std::move(*error)));
        } else {
          reply(std::move(*value));
        }
      });
}

}  // namespace flexsync::store
