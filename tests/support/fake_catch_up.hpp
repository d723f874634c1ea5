// What the catching up of events works with, in memory: cursor, inbox, and Stripe's list of events.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/ports.hpp"
#include "store/catch_up_cursors.hpp"
#include "stripe/call.hpp"
#include "stripe/outcome.hpp"
#include "support/actor_fakes.hpp"

namespace flexsync::test {

// Of one environment. Held as "begin" and "move".
class FakeCursors final : public store::CatchUpCursors {
 public:
  explicit FakeCursors(HeldCalls& held) : held_(held) {}

  void begin(const Scope& scope, store::WalkWhen when, Timestamp now, Timestamp due,
             std::function<void(Result<std::optional<store::CatchUpCursor>>)> reply) override;
  void move(const Scope& scope, const store::CatchUpCursor& begun, Timestamp reached, Timestamp due,
            std::function<void(Result<bool>)> reply) override;

  void set_back(Timestamp since);

  std::optional<store::CatchUpCursor> cursor;  // nothing: no connection
  Timestamp due_at;
  std::vector<store::WalkWhen> begun;
  std::vector<Timestamp> reached;  // wherever it was moved
  Script<ErrorCode> begin_faults;
  Script<ErrorCode> move_faults;

 private:
  HeldCalls& held_;
};

// Held as "intake".
class FakeIntake final : public WebhookIntake {
 public:
  explicit FakeIntake(HeldCalls& held) : held_(held) {}

  void store(IncomingEvent event, std::function<void(Result<IntakeResult>)> reply) override;

  std::map<std::string, IncomingEvent> inbox;  // by event id
  int asked = 0;
  Script<ErrorCode> faults;

 private:
  HeldCalls& held_;
};

// GET /v1/events as Stripe answers it.
class EventList {
 public:
  struct Event {
    std::string id;
    std::string type;
    Timestamp created;
    bool livemode = false;
  };

  void add(const std::string& id, const std::string& type, Timestamp created) { events.push_back({id, type, created}); }
  stripe::CallOutcome answer(const stripe::Call& call, Timestamp now) const;

  std::vector<Event> events;
  std::size_t page_size = 100;
};

}  // namespace flexsync::test
