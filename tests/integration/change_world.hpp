// What a test of written changes stands on: a tenant whose work is owned, and the writer.
#pragma once

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <vector>

#include "integration/store_world.hpp"
#include "store/change_writer.hpp"
#include "store/inbox_source.hpp"
#include "store/snapshot_loader.hpp"

namespace flexsync::testing {

struct ChangeWorld : StoreWorld {
  ChangeWorld() {
    store::ChangeWriterConfig config;
    config.url = database.url();
    config.writers = 1;  // so that what is submitted together is one batch
    writer = std::make_unique<store::ChangeWriter>(config, metrics, precedence);
    scope = new_scope();
    epoch = own(scope);
  }

  std::int64_t own(const Scope& of) {
    std::promise<std::int64_t> promise;
    store::StoreInboxSource(pool).take_ownership(of, [&](auto owned) { promise.set_value(owned->epoch); });
    return promise.get_future().get();
  }

  // One event that creates a customer: all a change set can hold.
  ChangeSet creation(const std::string& n) {
    return creation(n, store_event(scope, "evt_" + n, "customer.created", "cus_" + n));
  }

  ChangeSet creation(const std::string& n, std::int64_t seq) const {
    ChangeSet change;
    change.scope = scope;
    change.epoch = epoch;
    Customer customer;
    customer.id = CustomerId{"cust_" + n};
    customer.external_id = "ext_" + n;
    customer.fields.name = "Ada \"the first\" \\ {x}, NULL";
    customer.fields.metadata = {{"k\"ey", "va\\lue"}};
    customer.version = 1;
    customer.created_at = customer.updated_at = kStart;
    customer.created_by = customer.updated_by = "stripe";
    change.customer = customer;
    change.mapping = Mapping{MappingId{"eim_" + n},        "customer",        "cust_" + n, "stripe", "cus_" + n,
                             {{"created_via", "webhook"}}, Status::published, kStart,      kStart};
    change.stripe_object =
        StripeObject{"customer", StripeId{"cus_" + n}, "cust_" + n, "{}", {kStart, kStart}, false, false, 1};
    change.audit = {
        {"customer", "cust_" + n, "create", "stripe:evt_" + n, "{}", "{\"name\":\"Ada\"}", "req_1", kStart}};
    change.settlement = InboxSettlement{seq, StripeEventId{"evt_" + n}, InboxOutcome::applied, "", false, kStart};
    return change;
  }

  // The same by an API call: no event, but something to tell Stripe.
  ChangeSet command(const std::string& n) {
    auto change = creation(n, 0);
    change.settlement.reset();
    change.mapping.reset();
    change.stripe_object.reset();
    change.audit.front().actor = "api_key:secret_1";
    change.new_intents = {intent("intent_" + n, "cust_" + n)};
    return change;
  }

  // What Stripe's answer to it changes.
  ChangeSet answer(const std::string& n, Intent intent) {
    auto change = creation(n, 0);
    change.settlement.reset();
    change.customer.reset();
    intent.state = IntentState::settled;
    intent.settled_at = kStart + std::chrono::seconds(1);
    change.intents = {std::move(intent)};
    return change;
  }

  static Intent intent(const std::string& id, const std::string& customer, Timestamp due = kStart) {
    Intent intent;
    intent.id = IntentId{id};
    intent.entity_type = "customer";
    intent.entity_id = customer;
    intent.operation = IntentOperation::create_customer;
    intent.body = "name=Ada+%22the+first%22&metadata[a]={x},\\";
    intent.idempotency_key = "key_" + id;
    intent.fields = {"name", "metadata.{\"k\\ey,\"}", ""};
    intent.next_attempt_at = due;
    intent.request_id = "req_1";
    intent.keyed_at = intent.created_at = kStart;
    return intent;
  }

  std::vector<ChangeReply> submit(const std::vector<ChangeSet>& changes) {
    std::vector<std::promise<ChangeReply>> promises(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      writer->submit(changes[i], [&promise = promises[i]](ChangeReply reply) { promise.set_value(std::move(reply)); });
    }
    std::vector<ChangeReply> replies;
    for (auto& promise : promises) {
      replies.push_back(promise.get_future().get());
    }
    return replies;
  }

  EntitySnapshot load(const std::string& customer, const std::string& stripe_id) {
    return load({scope, {EntityKind::customer, customer}, {"customer", StripeId{stripe_id}}});
  }

  EntitySnapshot load(const store::SnapshotRequest& request) { return load_all({request}).front(); }

  // Submitted together: what the loader's thread finds then is one batch, or two.
  std::vector<EntitySnapshot> load_all(const std::vector<store::SnapshotRequest>& requests) {
    store::SnapshotLoader loader({database.url()}, metrics);
    std::vector<std::promise<Result<EntitySnapshot>>> promises(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      loader.load(requests[i], [&promise = promises[i]](auto stored) { promise.set_value(std::move(stored)); });
    }
    std::vector<EntitySnapshot> snapshots;
    for (auto& promise : promises) {
      auto stored = promise.get_future().get();
      REQUIRE(stored);
      snapshots.push_back(std::move(*stored));
    }
    return snapshots;
  }

  ChangeResult result(const ChangeSet& change) { return submit({change}).front().result; }

  store::Precedence precedence;
  Scope scope;
  std::int64_t epoch = 0;
  std::unique_ptr<store::ChangeWriter> writer;
};

}  // namespace flexsync::testing
