// The inbox as a tenant supervisor reads it: in pages, from a watermark on, and what is parked when it is due.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/entity.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync::store {

class ReadPool;

// One unsettled event, with the local entity that its object is known to be.
struct InboxRow {
  std::int64_t seq = 0;
  StripeEventId event_id;
  std::string type;
  std::string object_type;
  std::string object_id;
  std::string request_id;
  Timestamp received;
  std::string payload;
  std::string entity_id;  // by mapping, else by shadow; empty: Stripe's object is new to us
  bool was_parked = false;
  int attempts = 0;                    // failed ones so far
  std::optional<Timestamp> parked_at;  // the first time, since it was redriven if it was
};

struct PageRequest {
  std::int64_t after = 0;                 // rows with a greater seq …
  std::string object_id;                  // … of this object only, where one is named
  std::vector<std::string> busy_objects;  // whose queues are full: skipped
  int rows_max = 256;
  std::int64_t bytes_max = 4 * 1024 * 1024;  // of payloads; the first row comes whatever its size
};

struct Ownership {
  std::int64_t epoch = 0;
  std::int64_t watermark = 0;
};

// Stripe objects, and claims that Stripe's metadata makes: an id or external_id of a customer of ours. Of prices, the
// product is wanted; of e-mails, whose they are.
struct EntitiesWanted {
  std::vector<ObjectKey> objects;
  std::vector<std::string> claims;
  std::vector<StripeId> prices;
  std::vector<std::string> emails;
};

struct FoundEntities {
  // By live mapping, else by shadow (also where no row of ours exists yet: a reservation).
  std::map<ObjectKey, std::string> objects;
  // An id names a deleted customer, too: what we made in Stripe for it leads to it for ever, so that nothing revives it
  // under another id.
  std::map<std::string, std::string> claims;
  std::map<StripeId, StripeId> products;  // by price: as it was heard of last, deleted or not
  // By e-mail, as it is written: the published customers that are mapped to none of Stripe's, nor on their way there.
  // Two at most.
  std::map<std::string, std::vector<std::string>> unmapped;
};

// Replies come exactly once, on a thread of the store's.
class InboxSource {
 public:
  virtual ~InboxSource() = default;

  // Raises the epoch: from now on no change set of an earlier supervisor is taken.
  virtual void take_ownership(const Scope& scope, std::function<void(Result<Ownership>)> reply) = 0;

  virtual void read_page(const Scope& scope, PageRequest request,
                         std::function<void(Result<std::vector<InboxRow>>)> reply) = 0;

  // Parked events whose time has come (retrying, blocked, redriven).
  virtual void read_due(const Scope& scope, Timestamp now, int rows_max,
                        std::function<void(Result<std::vector<InboxRow>>)> reply) = 0;

  // Which of our entities are these?
  virtual void find_entities(const Scope& scope, EntitiesWanted wanted,
                             std::function<void(Result<FoundEntities>)> reply) = 0;

  // Everything up to `seq` is settled: later supervisors begin there. Nobody waits for it.
  virtual void save_watermark(const Scope& scope, std::int64_t seq) = 0;
};

class StoreInboxSource final : public InboxSource {
 public:
  explicit StoreInboxSource(ReadPool& pool) : pool_(pool) {}

  void take_ownership(const Scope& scope, std::function<void(Result<Ownership>)> reply) override;
  void read_page(const Scope& scope, PageRequest request,
                 std::function<void(Result<std::vector<InboxRow>>)> reply) override;
  void read_due(const Scope& scope, Timestamp now, int rows_max,
                std::function<void(Result<std::vector<InboxRow>>)> reply) override;
  void find_entities(const Scope& scope, EntitiesWanted wanted,
                     std::function<void(Result<FoundEntities>)> reply) override;
  void save_watermark(const Scope& scope, std::int64_t seq) override;

  // How far behind each tenant's environment is.
  struct Depth {
    Scope scope;
    std::int64_t depth = 0;  // unsettled events
    Timestamp oldest;        // when the oldest of them was received; meaningless when there is none
    std::int64_t dead = 0;   // dead letters
  };

  // What must cross tenants. Work is all of it: events to settle, intents of the outbox to send, usage to bill, and a
  // list of events at Stripe that was due to be read by `catch_up_due` (Timestamp{}: those are nobody's work).
  void depths(std::function<void(Result<std::vector<Depth>>)> reply);
  void tenants_with_work(Timestamp now, Timestamp catch_up_due, std::function<void(Result<std::vector<Scope>>)> reply);

 private:
  ReadPool& pool_;
};

}  // namespace flexsync::store
