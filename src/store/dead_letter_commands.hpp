// What a person does about dead letters: try them again, or give them up.
#pragma once

#include <functional>

#include "domain/clock.hpp"
#include "domain/ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

class StoreDeadLetterCommands final : public DeadLetterCommands {
 public:
  // `wake` is called after a redrive was committed; without it the supervisor's sweep finds the events.
  StoreDeadLetterCommands(ReadPool& pool, const Clock& clock, std::function<void(const Scope&)> wake);

  Result<std::int64_t> redrive(const Scope& scope, const DeadLetterFilter& filter, bool count_only,
                               const Principal& by) override;
  Result<std::int64_t> discard(const Scope& scope, const DeadLetterFilter& filter, bool count_only,
                               const Principal& by) override;

 private:
  ReadPool& pool_;
  const Clock& clock_;
  std::function<void(const Scope&)> wake_;
};

}  // namespace flexsync::store
