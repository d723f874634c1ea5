// How far each environment's list of events at Stripe was read (table catch_up_cursors).
//
// A cursor belongs to a connection, and begins at that connection's creation: another one may be another account.
// Whoever says that it may move says that everything before is in the inbox, which is true whoever says it. So a
// supervisor that was replaced does no harm; only what a person set back must not be moved by a walk that began before:
// its revision tells.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/ports.hpp"
#include "domain/time.hpp"

namespace flexsync::store {

class ReadPool;

struct CatchUpCursor {
  ConnectionId connection;
  std::optional<bool> livemode;  // of the connection
  Timestamp at;
  std::int64_t revision = 0;
};

enum class WalkWhen { now, if_due };

// Replies come exactly once, on a thread of the store's.
class CatchUpCursors {
 public:
  virtual ~CatchUpCursors() = default;

  // A walk begins: where, or nothing: there is no connection, or it is not due. `due` is when the next one must have
  // begun, or somebody looks after it.
  virtual void begin(const Scope& scope, WalkWhen when, Timestamp now, Timestamp due,
                     std::function<void(Result<std::optional<CatchUpCursor>>)> reply) = 0;

  // Moves what `begin` gave; false: it was set from outside meanwhile, or belongs to another connection.
  virtual void move(const Scope& scope, const CatchUpCursor& begun, Timestamp reached, Timestamp due,
                    std::function<void(Result<bool>)> reply) = 0;
};

class StoreCatchUpCursors final : public CatchUpCursors {
 public:
  explicit StoreCatchUpCursors(ReadPool& pool) : pool_(pool) {}

  void begin(const Scope& scope, WalkWhen when, Timestamp now, Timestamp due,
             std::function<void(Result<std::optional<CatchUpCursor>>)> reply) override;
  void move(const Scope& scope, const CatchUpCursor& begun, Timestamp reached, Timestamp due,
            std::function<void(Result<bool>)> reply) override;

  // For a person; blocks. From `since` on everything is read again, by a walk that is due at once; where the cursor
  // stands now. A cursor that is earlier already stays. not_found: no connection.
  Result<Timestamp> set_back(const Scope& scope, Timestamp since, Timestamp now, const Principal& by);

 private:
  ReadPool& pool_;
};

}  // namespace flexsync::store
