// The Stripe connections that the way in needs at every webhook: their secrets, decrypted, in memory only.
//
// Reading and decrypting at every webhook would cost more than all the rest of it. So an endpoint is kept; a change
// through this process is seen at once (invalidate), one through another process within seconds, and a secret that was
// rolled there at the first signature that fails (refresh).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/clock.hpp"
#include "domain/error.hpp"
#include "domain/tenancy.hpp"
#include "store/read_pool.hpp"
#include "store/read_through_cache.hpp"
#include "store/secret_box.hpp"

namespace flexsync::store {

// What is known of one environment's live connection to Stripe.
struct StripeEndpoint {
  ConnectionId connection;
  Scope scope;
  std::vector<Secret> webhook_secrets;
  Secret secret_key;
  std::optional<bool> livemode;
  std::string account_id;
  std::string sync_config;  // JSON
};

// Whose an event of the global address is: a scope, or why it is nobody's.
struct EventOwner {
  std::optional<Scope> scope;
  std::string reason;
};

// A handle: copies share one cache, so that whoever waits for a read may outlive whoever started it.
class ConnectionCache {
 public:
  using Endpoint = std::shared_ptr<const StripeEndpoint>;
  using Reply = std::function<void(Result<Endpoint>)>;

  // The clock and the secret box must outlive the pool: a read may still be on its way when the cache is gone.
  ConnectionCache(ReadPool& pool, const SecretBox& secrets, const Clock& clock, ReadThroughLimits limits = {});

  // Errors: not_found (no live connection there), internal_error (its secrets do not open), service_unavailable.
  // Replies on the caller's thread when it is known, else on one of the pool.
  void find(const Scope& scope, Reply reply);

  // Reads it again, at most once a second for each scope: for a signature that fits no secret that is known.
  void refresh(const Scope& scope, Reply reply);

  // By the event's account and livemode; without an account the connection marked default.
  void find_global(const std::string& account, std::optional<bool> livemode,
                   std::function<void(Result<EventOwner>)> reply);

  // To be called after every change of a connection in this process.
  void invalidate(const Scope& scope);

 private:
  // One of the connections that an account has, or that are marked default.
  struct Candidate {
    Scope scope;
    std::optional<bool> livemode;
  };
  using Candidates = std::vector<Candidate>;

  static EventOwner choose(const Candidates& candidates, const std::string& account, std::optional<bool> livemode);

  std::shared_ptr<ReadThroughCache<Scope, StripeEndpoint>> endpoints_;
  std::shared_ptr<ReadThroughCache<std::string, Candidates>> accounts_;  // "" = those marked default
};

}  // namespace flexsync::store
