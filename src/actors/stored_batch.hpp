// Events of one page on their way into the inbox: when the intake's threads have answered for all of them, `stored`
// goes home, with how many were new and count, or why one of them could not be stored.
#pragma once

#include <caf/send.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "actors/interfaces.hpp"
#include "domain/ports.hpp"

namespace flexsync::actors {

template <class Home>
class StoredBatch {
 public:
  // `number` goes home, too: which page of which walk it was.
  StoredBatch(Home home, std::uint64_t number, std::size_t events)
      : home_(std::move(home)), number_(number), left_(events) {}

  void answer(const Result<IntakeResult>& stored, bool counts) {
    const std::lock_guard lock(mutex_);
    if (!stored) {
      result_ = tl::unexpected(stored.error());
    } else if (result_ && *stored == IntakeResult::stored && counts) {
      ++*result_;
    }
    if (--left_ == 0) {
      caf::anon_send(home_, stored_atom::value, number_, std::make_shared<const Result<std::int64_t>>(result_));
    }
  }

 private:
  const Home home_;
  const std::uint64_t number_;
  std::mutex mutex_;
  std::size_t left_;
  Result<std::int64_t> result_ = std::int64_t{0};
};

}  // namespace flexsync::actors
