// What a person does about events: tries dead letters again or gives them up, and has settled events taken again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "domain/clock.hpp"
#include "domain/ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

class StoreDeadLetterCommands final : public DeadLetterCommands {
 public:
  // `wake` is called after a redrive was committed; without it the supervisor's sweep finds the events.
  StoreDeadLetterCommands(ReadPool& pool, const Clock& clock, std::function<void(const Scope&)> wake);

  Result<BulkResult> redrive(const Scope& scope, const DeadLetterFilter& filter, const BulkConsent& consent,
                             const Principal& by) override;
  Result<BulkResult> discard(const Scope& scope, const DeadLetterFilter& filter, const BulkConsent& consent,
                             const Principal& by) override;

  // Settled events are taken again, as if they came now: those of a type that had no effect when they came, those that
  // were ignored or given up. Order is decided anew, so one whose state is known already changes nothing. Only what is
  // settled (and was not ignored at intake) matches; a state that no settled event has is a validation_error.
  struct ReplayFilter {
    WebhookEventFilter events;
    std::vector<std::string> event_ids;
  };
  Result<BulkResult> replay(const Scope& scope, const ReplayFilter& filter, const BulkConsent& consent,
                            const Principal& by);

 private:
  void wake(const Scope& scope, const Result<BulkResult>& done, const BulkConsent& consent) const;

  ReadPool& pool_;
  const Clock& clock_;
  std::function<void(const Scope&)> wake_;
};

}  // namespace flexsync::store
