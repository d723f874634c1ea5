// Actors without threads and without waiting: CAF's test coordinator runs them one message at a time, its clock and
// ours move only when the test says so.
#pragma once

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <memory>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "support/actor_fakes.hpp"

namespace flexsync::test {

inline const Scope kTenant{TenantId("tenant_1"), EnvironmentId("env_1")};
inline const Scope kOtherTenant{TenantId("tenant_2"), EnvironmentId("env_1")};
inline constexpr std::int64_t kSecondZero = 1'790'000'000;

class ActorFixture {
 public:
  ActorFixture();
  ~ActorFixture();
  ActorFixture(const ActorFixture&) = delete;
  ActorFixture& operator=(const ActorFixture&) = delete;

  // Made on first use: a test changes `config` before.
  const actors::ServicesPtr& services();

  // Runs what is ready, until nothing is. A test that would never end fails.
  void run();
  // One message of one actor that has any, chosen at random; false when none has.
  bool run_one(std::mt19937_64& random);
  // Both clocks move in small steps; whatever becomes ready runs.
  void advance(std::chrono::milliseconds by);

  // Ends with the fixture.
  template <class Handle>
  Handle own(Handle actor) {
    spawned_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }
  static bool is_alive(const caf::actor_addr& address);

  // A customer event in the inbox; its seq.
  std::int64_t deliver(const std::string& event_id, const std::string& type, const stripe::CustomerState& state,
                       std::int64_t second = kSecondZero, const Scope& scope = kTenant);
  // Any other one.
  std::int64_t deliver_other(const std::string& event_id, const std::string& type, const std::string& payload,
                             const Scope& scope = kTenant);
  std::optional<InboxOutcome> outcome(std::int64_t seq) const;
  const ParkedEvent& parked(std::int64_t seq) const;
  std::size_t live(const std::string& kind);

  caf::actor_system_config system_config;
  ManualClock clock{from_unix_seconds(kSecondZero)};
  Metrics metrics;
  actors::ActorConfig config;
  StoreModel store;
  HeldCalls held;
  FakeChangeSink changes{store, held};
  FakeSnapshots snapshots{store, held};
  FakeInbox inbox{store, held};
  FakeOutbox outbox{store, held};
  FakeTransport transport{held};
  stripe::Transport* stripe = &transport;  // what the actors call; a test may put its own here
  Result<Secret> key = Secret("sk_test_1");
  store::UsageLedger* usage = nullptr;
  store::CatchUpCursors* catch_up = nullptr;
  WebhookIntake* intake = nullptr;
  store::ReconcileSource* reconcile = nullptr;
  std::map<Scope, std::string> keys;  // of tenants that have another one
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;

 private:
  actors::ServicesPtr services_;
  std::vector<caf::actor> spawned_;
};

// What an entity actor tells its supervisor, remembered.
struct SupervisorLog {
  std::vector<std::int64_t> finished;
  std::vector<std::int64_t> parked;
  std::vector<std::int64_t> booked;  // seqs of intents …
  std::vector<std::int64_t> again;   // … and of those to be tried again
  std::vector<bool> queued;          // whether somebody waits
  std::vector<actors::PushPtr> pushed;
  std::vector<actors::PendingParentPtr> parents;
  int parents_answered = 0;
  int done = 0;
  int deposed = 0;
};
actors::tenant_supervisor_actor fake_supervisor(ActorFixture& fixture, SupervisorLog& log);

stripe::CustomerState customer_state(const std::string& id, const std::string& name);

}  // namespace flexsync::test
