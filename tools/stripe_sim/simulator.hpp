// The simulated Stripe: accounts with their objects, the clock, the ids, and the one function that emits events.
//
// One lock guards it all. Handlers hold it from reading parameters to the answer, so each request is atomic, and a
// created object and its event can never be seen apart.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "stripe_sim/clock.hpp"
#include "stripe_sim/idempotency.hpp"
#include "stripe_sim/meter_ledger.hpp"
#include "stripe_sim/object_store.hpp"
#include "stripe_sim/random.hpp"
#include "stripe_sim/subscription_ledger.hpp"
#include "stripe_sim/webhooks/dispatcher.hpp"
#include "stripe_sim/webhooks/silence.hpp"

namespace stripe_sim {

struct SimulatorConfig {
  std::uint64_t seed = 1;
  std::string api_key;  // empty: any key of a valid form
};

// One account in one mode. `sk_test_A` and `rk_test_A` see the same account, `sk_live_A` its live half and
// `sk_test_B` another account: what follows the prefix names it.
struct Account {
  std::string id;   // acct_...
  std::string key;  // "acct_.../test": what webhook targets are told apart by
  bool livemode = false;
  std::string api_version = kApiVersion;       // where neither a request nor an endpoint names one
  std::map<std::string, ObjectStore> objects;  // by Stripe's object name: "customer", "event", ...
  IdempotencyKeys idempotency_keys;
  MeterLedger meter_ledger;
  SubscriptionLedger subscription_ledger;
};

// Whom a key belongs to, known without making the account.
struct KeyOwner {
  std::string account_id;
  std::string account_key;
  bool livemode = false;
};

// Where an event comes from: null in both fields when it was no API request.
struct RequestOrigin {
  std::string request_id;
  std::string idempotency_key;
  std::optional<std::int64_t> moment = std::nullopt;  // what time did by itself: when it was due, not when it was seen
};

class Simulator {
 public:
  Simulator(const SimulatorConfig& config, Clock& clock, Dispatcher& dispatcher);

  std::mutex& mutex() { return mutex_; }

  // Nothing for a key that is not accepted.
  std::optional<KeyOwner> owner_of(const std::string& api_key) const;

  // The account of a key, made at its first use; throws StripeError (401) for a key that is not accepted.
  Account& account_for_key(const std::string& api_key);

  // The account a control request means: by its key, or the only one there is. Throws StripeError (400).
  Account& account_for_control(const std::string& api_key);
  std::map<std::string, Account>& accounts() { return accounts_; }

  // Stores the event, in the newest shape, and hands it to the webhook dispatcher, unless it is silenced. `previous` is
  // null unless the object was changed.
  void emit_event(Account& account, const std::string& type, const Json& object, const Json& previous,
                  const RequestOrigin& origin);

  const SimulatorConfig& config() const { return config_; }
  Clock& clock() { return clock_; }
  IdMint& ids() { return ids_; }
  Silence& silence() { return silence_; }
  Dispatcher& dispatcher() { return dispatcher_; }

 private:
  SimulatorConfig config_;
  std::mutex mutex_;
  Clock& clock_;
  IdMint ids_;
  Silence silence_;
  Dispatcher& dispatcher_;
  std::map<std::string, Account> accounts_;
};

// The event as each endpoint is to get it: in the endpoint's version, or in the one it was created in. `newest` is its
// text where it was created in the newest.
std::vector<AddressedBody> addressed(const Json& event, const SharedText& newest,
                                     const std::vector<Addressee>& addressees);

// data.previous_attributes: the changed fields with their old values. Where both sides are hashes only the changed
// keys count, and a key that is new had the value null.
Json previous_attributes(const Json& before, const Json& after);

}  // namespace stripe_sim
