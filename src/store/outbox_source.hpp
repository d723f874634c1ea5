// The outbox as its sender reads it: the oldest intent of each entity, when it is due.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.hpp"
#include "domain/outbox.hpp"

namespace flexsync::store {

class ReadPool;

struct OutboxRow {
  Intent intent;
  StripeId stripe_id;  // of the entity's live mapping; empty: none
};

struct OutboxPage {
  std::vector<OutboxRow> rows;
  std::optional<Timestamp> next_due;  // of the ready intents that are not due yet: when to look again
};

// Replies come exactly once, on a thread of the store's.
class OutboxSource {
 public:
  virtual ~OutboxSource() = default;

  // Of each entity the ready intent with the lowest seq, if it is due; those that were due first come first. Entities
  // in `busy` have one in flight and are left out.
  virtual void read_ready(const Scope& scope, Timestamp now, int rows_max, std::vector<std::string> busy,
                          std::function<void(Result<OutboxPage>)> reply) = 0;
};

class StoreOutboxSource final : public OutboxSource {
 public:
  explicit StoreOutboxSource(ReadPool& pool) : pool_(pool) {}

  void read_ready(const Scope& scope, Timestamp now, int rows_max, std::vector<std::string> busy,
                  std::function<void(Result<OutboxPage>)> reply) override;

  // How far behind each tenant's environment is.
  struct Depth {
    Scope scope;
    std::int64_t ready = 0;    // intents not sent yet
    Timestamp oldest;          // when the oldest of them was made; meaningless when there is none
    std::int64_t refused = 0;  // what Stripe does not take
  };

  // Crosses tenants.
  void depths(std::function<void(Result<std::vector<Depth>>)> reply);

 private:
  ReadPool& pool_;
};

}  // namespace flexsync::store
