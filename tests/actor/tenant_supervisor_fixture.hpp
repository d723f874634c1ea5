// The supervisor with the real entity actors and Stripe client, over the fakes.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>

#include "actors/tenant_supervisor.hpp"
#include "support/actor_fixture.hpp"
#include "support/catalog_objects.hpp"

namespace flexsync::test {

using namespace flexsync::actors;

struct SupervisorFixture : ActorFixture {
  void start() {
    supervisor = own(system.spawn(tenant_supervisor, services(), kTenant));
    run();
  }

  void wake() {
    caf::anon_send(supervisor, wake_atom::value);
    run();
  }

  // With the node supervisor's sweeps.
  void pass(std::chrono::minutes time) {
    constexpr std::chrono::seconds kSweep{5};
    for (std::chrono::seconds passed{0}; passed < time; passed += kSweep) {
      caf::anon_send(supervisor, due_atom::value);
      advance(kSweep);
    }
  }

  // A snapshot in the inbox; of a price, under its product, as the intake stores it.
  std::int64_t put(const std::string& event, const std::string& type, const stripe::ObjectState& state,
                   std::int64_t second = kSecondZero) {
    const stripe::ObjectEvent carried{StripeEventId(event), type, from_unix_seconds(second), {}, state};
    const auto* price = std::get_if<stripe::PriceState>(&state);
    const auto object = price != nullptr ? price->product : stripe::key_of(state).id;
    return *store.deliver(kTenant, event, type, object.str(), to_event_json(carried), clock.now());
  }

  std::int64_t put_subscription(const std::string& id, const std::string& customer,
                                const std::vector<std::string>& products = {"prod_gold"}) {
    return put("evt_" + id, "customer.subscription.created", subscription_state(id, customer, products));
  }

  // Under the id of the object that it names.
  std::int64_t put_thin(const std::string& event, const std::string& type, const std::string& object_type,
                        const std::string& object) {
    const auto payload = R"({"id":")" + event + R"(","object":"v2.core.event","type":"v1.)" + type +
                         R"(","created":"2026-11-21T12:00:00Z","related_object":{"id":")" + object + R"(","type":")" +
                         object_type + R"("}})";
    return *store.deliver(kTenant, event, "v1." + type, object, payload, clock.now());
  }

  // A customer that Stripe does not have yet: cust_ours, whom others call our-7.
  void put_ours() { put_ours("cust_ours", "our-7", ""); }
  void put_ours(const std::string& id, const std::string& external_id, const std::string& email,
                Status status = Status::published) {
    Customer ours;
    ours.id = CustomerId(id);
    ours.external_id = external_id;
    ours.fields.email = email;
    ours.status = status;
    ours.version = 1;
    store.put(kTenant, ours);
  }

  void stripe_has(const stripe::ObjectState& state) {
    transport.objects[stripe::key_of(state).id.str()] = to_object_json(state);
  }

  // The entity that it is mapped to; empty: none.
  std::string mapped(const std::string& object, const std::string& entity_type = "") const {
    const auto* mapping = store.live_mapping(kTenant, StripeId(object), entity_type);
    return mapping == nullptr ? "" : mapping->entity_id;
  }

  const Subscription& subscription(const std::string& id = "sub_1") const {
    const auto* known = store.subscription(kTenant, SubscriptionId(mapped(id, "subscription")));
    REQUIRE(known != nullptr);
    return *known;
  }

  std::ptrdiff_t asked_for(const std::string& path) const {
    return std::count_if(transport.requests.begin(), transport.requests.end(),
                         [&](const auto& request) { return request.path == path; });
  }

  tenant_supervisor_actor supervisor;
};

}  // namespace flexsync::test
