// What the comparison with Stripe reads of the mirror, and when it was made last (table reconcile_walks).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/mapping.hpp"
#include "domain/time.hpp"

namespace flexsync::store {

class ReadPool;

// The connection whose account is compared.
struct ReconcileBasis {
  ConnectionId connection;
  Timestamp since;                     // it exists since then
  std::optional<Timestamp> walked_at;  // when a walk of this connection last came to its end
};

struct MirrorPage {
  std::string object_type;
  std::string after;      // the Stripe id behind which it begins
  Timestamp seen_before;  // only shadows of what was last seen before that
  int rows_max = 0;
};

// Replies come exactly once, on a thread of the store's.
class ReconcileSource {
 public:
  virtual ~ReconcileSource() = default;

  // Nothing: there is no connection.
  virtual void basis(const Scope& scope, std::function<void(Result<std::optional<ReconcileBasis>>)> reply) = 0;

  // What is known of these objects, by id.
  virtual void known(const Scope& scope, const std::string& object_type, std::vector<StripeId> ids,
                     std::function<void(Result<std::map<StripeId, KnownObject>>)> reply) = 0;

  // Shadows that are no tombstones, by id.
  virtual void mirrored(const Scope& scope, MirrorPage page,
                        std::function<void(Result<std::vector<MirroredObject>>)> reply) = 0;

  // Shadows that stand until Stripe is asked, and nobody is about to.
  virtual void marked(const Scope& scope, int rows_max,
                      std::function<void(Result<std::vector<MirroredObject>>)> reply) = 0;

  virtual void finish(const Scope& scope, const ConnectionId& connection, Timestamp at, std::int64_t compared,
                      std::int64_t different, std::function<void(Result<void>)> reply) = 0;
};

class StoreReconcileSource final : public ReconcileSource {
 public:
  explicit StoreReconcileSource(ReadPool& pool) : pool_(pool) {}

  void basis(const Scope& scope, std::function<void(Result<std::optional<ReconcileBasis>>)> reply) override;
  void known(const Scope& scope, const std::string& object_type, std::vector<StripeId> ids,
             std::function<void(Result<std::map<StripeId, KnownObject>>)> reply) override;
  void mirrored(const Scope& scope, MirrorPage page,
                std::function<void(Result<std::vector<MirroredObject>>)> reply) override;
  void marked(const Scope& scope, int rows_max,
              std::function<void(Result<std::vector<MirroredObject>>)> reply) override;
  void finish(const Scope& scope, const ConnectionId& connection, Timestamp at, std::int64_t compared,
              std::int64_t different, std::function<void(Result<void>)> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace flexsync::store
