// What a thread of the store's answers goes home, as a message with the number of what had asked.
#pragma once

#include <caf/send.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "domain/error.hpp"

namespace flexsync::actors {

template <class Atom, class Value, class Home>
std::function<void(Result<Value>)> send_home(Home home, std::uint64_t number) {
  return [home = std::move(home), number](Result<Value> result) {
    caf::anon_send(home, Atom::value, number, std::make_shared<const Result<Value>>(std::move(result)));
  };
}

}  // namespace flexsync::actors
