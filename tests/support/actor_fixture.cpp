#include "support/actor_fixture.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace flexsync::test {

namespace {

constexpr std::size_t kRunMax = 1'000'000;  // messages; a run that needs more does not end
constexpr std::chrono::milliseconds kStep{50};

caf::actor_system_config& configure(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("testing"));
  return config;
}

}  // namespace

ActorFixture::ActorFixture()
    : system(configure(system_config)), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())) {
  system.await_actors_before_shutdown(false);
}

ActorFixture::~ActorFixture() {
  for (const auto& actor : spawned_) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
  spawned_.clear();
  scheduler.run(kRunMax);
  scheduler.clock().cancel_all();
  scheduler.run(kRunMax);
}

const actors::ServicesPtr& ActorFixture::services() {
  if (!services_) {
    services_ = std::make_shared<const actors::Services>(
        actors::Services{changes, snapshots, inbox, outbox, *stripe,
                         [this](const Scope& scope, std::function<void(Result<Secret>)> reply) {
                           const auto own_key = keys.find(scope);
                           reply(own_key == keys.end() ? key : Result<Secret>(Secret(own_key->second)));
                         },
                         [this](std::function<void(Result<std::vector<Scope>>)> reply) {
                           held.call("work", [this, reply = std::move(reply)] {
                             return [reply, scopes = store.scopes_with_work(clock.now())] { reply(scopes); };
                           });
                         },
                         clock, metrics, config, usage, catch_up, intake, reconcile});
  }
  return services_;
}

void ActorFixture::run() {
  if (scheduler.run(kRunMax) >= kRunMax) {
    FAIL("the actors never come to rest");
  }
}

bool ActorFixture::run_one(std::mt19937_64& random) {
  if (scheduler.jobs.empty()) {
    return false;
  }
  const auto chosen = std::uniform_int_distribution<std::size_t>(0, scheduler.jobs.size() - 1)(random);
  const auto job = scheduler.jobs.begin() + static_cast<std::ptrdiff_t>(chosen);
  std::rotate(scheduler.jobs.begin(), job, job + 1);
  return scheduler.try_run_once();
}

void ActorFixture::advance(std::chrono::milliseconds by) {
  for (auto left = by; left.count() > 0; left -= kStep) {
    const auto step = std::min(left, kStep);
    clock.advance(step);
    scheduler.advance_time(step);
    run();
  }
}

bool ActorFixture::is_alive(const caf::actor_addr& address) {
  const auto actor = caf::actor_cast<caf::strong_actor_ptr>(address);
  return actor && !caf::actor_cast<caf::abstract_actor*>(actor)->getf(caf::abstract_actor::is_terminated_flag);
}

std::int64_t ActorFixture::deliver(const std::string& event_id, const std::string& type,
                                   const stripe::CustomerState& state, std::int64_t second, const Scope& scope) {
  auto carried = state;
  carried.deleted = type == "customer.deleted";
  const CustomerEvent event{StripeEventId(event_id), type, from_unix_seconds(second), {}, carried};
  return store.deliver(scope, event_id, type, state.id.str(), to_event_json(event), clock.now()).value_or(0);
}

std::int64_t ActorFixture::deliver_other(const std::string& event_id, const std::string& type,
                                         const std::string& payload, const Scope& scope) {
  return store.deliver(scope, event_id, type, "obj_" + event_id, payload, clock.now()).value_or(0);
}

std::optional<InboxOutcome> ActorFixture::outcome(std::int64_t seq) const {
  const auto& row = store.row(seq);
  return row.settlement ? std::optional(row.settlement->outcome) : std::nullopt;
}

const ParkedEvent& ActorFixture::parked(std::int64_t seq) const {
  const auto& row = store.row(seq);
  REQUIRE(row.parked.has_value());
  return *row.parked;
}

std::size_t ActorFixture::live(const std::string& kind) {
  return static_cast<std::size_t>(metrics.actor_live(kind).Value());
}

actors::tenant_supervisor_actor fake_supervisor(ActorFixture& fixture, SupervisorLog& log) {
  using namespace actors;
  return fixture.own(fixture.system.spawn([&log](tenant_supervisor_actor::pointer) {
    return tenant_supervisor_actor::behavior_type{
        [](wake_atom) {},
        [](due_atom) {},
        [&log](finished_atom, const EntityKey&, std::int64_t seq, bool parked) {
          (parked ? log.parked : log.finished).push_back(seq);
        },
        [](execute_atom, const PendingCommandPtr&) {},
        [&log](parent_atom, const PendingParentPtr& asked) { log.parents.push_back(asked); },
        [&log](parent_atom, const EntityKey&) { ++log.parents_answered; },
        [](ask_atom, const PendingCallPtr&) {},
        [](rekeyed_atom) {},
        [&log](done_atom, const EntityKey&) { ++log.done; },
        [&log](queued_atom, const EntityKey&, bool hurry) { log.queued.push_back(hurry); },
        [&log](booked_atom, const EntityKey&, std::int64_t seq, bool again) {
          (again ? log.again : log.booked).push_back(seq);
        },
        [&log](pushed_atom, const PushPtr& push) { log.pushed.push_back(push); },
        [&log](deposed_atom) { ++log.deposed; },
        [](tick_atom) {},
        [](owned_atom, const OwnershipPtr&) {},
        [](page_atom, const InboxPagePtr&, bool) {},
        [](claims_atom, const FoundPtr&) {},
        [](found_atom, const FoundPtr&) {},
        [](settled_atom, std::int64_t, const ChangeReplyPtr&) {},
        [](respawn_atom, const EntityKey&) {},
    };
  }));
}

stripe::CustomerState customer_state(const std::string& id, const std::string& name) {
  stripe::CustomerState state;
  state.id = StripeId(id);
  state.name = name;
  state.metadata["external_id"] = "ext_" + id;
  return state;
}

}  // namespace flexsync::test
