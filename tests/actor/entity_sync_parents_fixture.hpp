// One entity's actor with a fake supervisor: what it asks for is in `log`, what it is asked is answered in `answers`.
#pragma once

#include <catch2/catch.hpp>

#include "actors/entity_sync.hpp"
#include "actors/stripe_client.hpp"
#include "support/actor_fixture.hpp"
#include "support/catalog_objects.hpp"

namespace flexsync::test {

using namespace flexsync::actors;

inline const EntityKey kCustomer{EntityKind::customer, "cust_1"};
inline const EntityKey kPlan{EntityKind::plan, "plan_1"};
inline const EntityKey kSubscription{EntityKind::subscription, "subs_1"};

inline const ObjectKey kAda{"customer", StripeId("cus_1")};
inline const ObjectKey kGold{"product", StripeId("prod_gold")};

struct ParentsFixture : ActorFixture {
  ParentsFixture() { store.take_ownership(kTenant); }

  void start(const EntityKey& entity) {
    supervisor = fake_supervisor(*this, log);
    client = own(system.spawn(stripe_client, services(), kTenant));
    actor = own(system.spawn(entity_sync,
                             EntitySyncArgs{services(), kTenant, store.epoch(kTenant), entity, supervisor, client}));
  }

  // An event of `state`, applied; its seq.
  std::int64_t apply(const std::string& event, const std::string& type, const stripe::ObjectState& state,
                     std::int64_t second = kSecondZero) {
    const stripe::ObjectEvent carried{StripeEventId(event), type, from_unix_seconds(second), {}, state};
    const auto object = stripe::key_of(state).id.str();
    const auto seq = *store.deliver(kTenant, event, type, object, to_event_json(carried), clock.now());
    auto routed = std::make_shared<RoutedEvent>();
    routed->event = *stripe::parse_object_event(store.row(seq).row.payload);
    routed->seq = seq;
    routed->parked_at = parked_at;
    caf::anon_send(actor, apply_atom::value, RoutedEventPtr(std::move(routed)));
    run();
    return seq;
  }

  std::int64_t subscribe(const std::vector<std::string>& products = {"prod_gold"}) {
    return apply("evt_sub", "customer.subscription.created", subscription_state("sub_1", "cus_1", products));
  }

  // What the supervisor would say to the Nth question.
  void reply(std::size_t question, ParentAnswer answer) {
    log.parents.at(question)->answer(std::move(answer));
    run();
  }

  // Asks the actor, as a subscription would: the answer is in `answers` once there is one.
  void ask(const ObjectKey& object, bool create = true, CallOutcomePtr looked_up = nullptr, const char* product = "") {
    const ParentQuestion question{{object, StripeId(product)}, create};
    const auto reply = [heard = heard](ParentAnswer answer) { heard->push_back(std::move(answer)); };
    auto asked = std::make_shared<PendingParent>(question, reply, fail(ErrorCode::service_unavailable, "nobody"));
    caf::anon_send(actor, parent_atom::value,
                   std::make_shared<const RoutedParent>(RoutedParent{std::move(asked), std::move(looked_up)}));
    run();
  }

  ErrorCode refusal(std::size_t answer = 0) const {
    REQUIRE(answers.size() > answer);
    REQUIRE_FALSE(answers[answer].has_value());
    return answers[answer].error().code;
  }

  void put_customer() {
    Customer customer;
    customer.id = CustomerId("cust_1");
    customer.version = 1;
    store.put(kTenant, customer);
  }
  void put_plan(const std::string& id) {
    Plan plan;
    plan.id = PlanId(id);
    plan.version = 1;
    store.put(kTenant, plan);
    Addon addon;
    addon.id = AddonId("addon" + id.substr(4));
    addon.plan_id = plan.id;
    addon.version = 1;
    store.put(kTenant, addon);
  }

  std::optional<Timestamp> parked_at;
  SupervisorLog log;
  // An actor that ends with the fixture answers once more what it has not answered.
  std::shared_ptr<std::vector<ParentAnswer>> heard = std::make_shared<std::vector<ParentAnswer>>();
  const std::vector<ParentAnswer>& answers = *heard;
  tenant_supervisor_actor supervisor;
  stripe_client_actor client;
  entity_sync_actor actor;
};

}  // namespace flexsync::test
