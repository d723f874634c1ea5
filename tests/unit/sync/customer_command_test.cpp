// DESIGN section 6, commands: what each changes here, and what Stripe is to be told of it.
#include "sync/customer_command.hpp"

#include <catch2/catch.hpp>

#include "support/customer_snapshots.hpp"
#include "sync/intents.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace flexsync::test;
using Catch::Matchers::Contains;

namespace {

CustomerCommand command(decltype(CustomerCommand::action) action, bool push = true) {
  CustomerCommand wanted;
  wanted.scope = kOwner;
  wanted.customer_id = kCustomer;
  wanted.action = std::move(action);
  wanted.push = push;
  wanted.by.label = "api_key:secret_1";
  wanted.by.request_id = "req_7";
  return wanted;
}

CommandDecision decide(const EntitySnapshot& snapshot, const CustomerCommand& wanted) {
  return decide_command({3, wanted, at(100)}, snapshot);
}

ChangeSet change_of(const CommandDecision& decision) {
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

ErrorCode error_of(const CommandDecision& decision) {
  REQUIRE(std::holds_alternative<Error>(decision));
  return std::get<Error>(decision).code;
}

CustomerReply unchanged(const CommandDecision& decision) {
  REQUIRE(std::holds_alternative<Unchanged>(decision));
  return std::get<Unchanged>(decision).reply;
}

UpdateCustomer name_it(const std::string& name) {
  UpdateCustomer wanted;
  wanted.name = name;
  return wanted;
}

CreateCustomer a_new_one() {
  CreateCustomer wanted;
  wanted.external_id = "ext_1";
  wanted.fields.name = "Ada";
  wanted.fields.metadata = {{"tier", "gold"}};
  return wanted;
}

Intent waiting_creation_of(const EntitySnapshot& snapshot) {
  return creation({kOwner, kCustomer, at(1), "req_1"}, snapshot.customer->fields);
}

EntitySnapshot deleted(EntitySnapshot snapshot) {
  snapshot.customer->status = Status::deleted;
  return snapshot;
}

}  // namespace

TEST_CASE("create: customer, audit row and creation are one change set") {
  const auto change = change_of(decide({}, command(a_new_one())));
  CHECK(change.scope == kOwner);
  CHECK(change.epoch == 3);
  REQUIRE(change.customer);
  CHECK(change.customer->id == kCustomer);
  CHECK(change.customer->external_id == "ext_1");
  CHECK(change.customer->version == 1);
  CHECK(change.customer->created_at == at(100));
  CHECK(change.customer->created_by == "api_key:secret_1");
  CHECK(change.customer->updated_by == "api_key:secret_1");
  REQUIRE(audited(change) == std::vector<std::string>{"create"});
  CHECK(change.audit[0].actor == "api_key:secret_1");
  CHECK(change.audit[0].request_id == "req_7");
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].operation == IntentOperation::create_customer);
  CHECK(change.new_intents[0].request_id == "req_7");
  CHECK_FALSE(change.settlement);
  CHECK_FALSE(change.mapping);
}

TEST_CASE("create without outbound: nothing for Stripe") {
  const auto change = change_of(decide({}, command(a_new_one(), false)));
  CHECK(change.customer);
  CHECK(change.new_intents.empty());
}

TEST_CASE("create of an id that is there: already_exists") {
  CHECK(error_of(decide(only_ours(), command(a_new_one()))) == ErrorCode::already_exists);
}

TEST_CASE("reserved metadata is ours: nobody sets it, no write removes it") {
  auto wanted = a_new_one();
  wanted.fields.metadata["stripe_customer_id"] = "cus_forged";
  CHECK(change_of(decide({}, command(wanted))).customer->fields.metadata == Metadata{{"tier", "gold"}});
  UpdateCustomer replace;
  replace.metadata = Metadata{{"stripe_customer_id", "cus_forged"}, {"tier", "gold"}};
  const auto change = change_of(decide(mapped(ada_in_stripe(), 0), command(replace)));
  CHECK(change.customer->fields.metadata == Metadata{{"stripe_customer_id", "cus_1"}, {"tier", "gold"}});
  CHECK_THAT(change.new_intents.at(0).body, !Contains("stripe_customer_id"));
}

TEST_CASE("update: what is absent stays, metadata is replaced, Stripe is told what changed") {
  auto state = ada_in_stripe();
  state.metadata = {{"team", "blue"}, {"tier", "gold"}};
  UpdateCustomer wanted = name_it("Ada L.");
  wanted.metadata = Metadata{{"tier", "gold"}, {"region", "eu"}};
  const auto change = change_of(decide(mapped(state, 0), command(wanted)));
  CHECK(change.customer->fields.name == "Ada L.");
  CHECK(change.customer->fields.email == "ada@example.com");
  CHECK(change.customer->version == 2);
  CHECK(audited(change) == std::vector<std::string>{"update"});
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].operation == IntentOperation::update_customer);
  CHECK(change.new_intents[0].fields == std::vector<std::string>{"name", "metadata.region", "metadata.team"});
  CHECK(change.new_intents[0].body == "name=Ada%20L.&metadata[region]=eu&metadata[team]=");
}

TEST_CASE("an update of what is only ours (external_id) is not told") {
  UpdateCustomer wanted;
  wanted.external_id = "ext_2";
  const auto change = change_of(decide(mapped(ada_in_stripe(), 0), command(wanted)));
  CHECK(change.customer->external_id == "ext_2");
  CHECK(change.new_intents.empty());
}

TEST_CASE("an update without outbound, and one that changes nothing") {
  CHECK(change_of(decide(mapped(ada_in_stripe(), 0), command(name_it("Bob"), false))).new_intents.empty());
  const auto reply = unchanged(decide(mapped(ada_in_stripe(), 0), command(name_it("Ada"))));
  CHECK(reply.customer.version == 1);
  CHECK(reply.mapping->provider_entity_id == "cus_1");
  CHECK_FALSE(reply.intent);
}

TEST_CASE("an update of a customer that Stripe does not know tells the whole customer") {
  const auto change = change_of(decide(only_ours(), command(name_it("Bob"))));
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].operation == IntentOperation::create_customer);
  CHECK(change.new_intents[0].fields == std::vector<std::string>{"name", "email"});
}

TEST_CASE("an update behind a waiting creation is an update; behind a refused one it creates") {
  const auto waits = with(only_ours(), waiting_creation_of(only_ours()));
  const auto change = change_of(decide(waits, command(name_it("Bob"))));
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].operation == IntentOperation::update_customer);
  CHECK(change.new_intents[0].body == "name=Bob");
  CHECK(change.intents.empty());

  ChangeSet refusal;
  refusal.intents = {refused(waits.intents[0], at(2), "email_invalid", "Invalid email")};
  const auto again = change_of(decide(after(refusal, waits), command(name_it("Bob"))));
  CHECK(again.new_intents.at(0).operation == IntentOperation::create_customer);
}

TEST_CASE("commands for a customer that is not there or deleted: not_found") {
  for (const auto& nobody : {EntitySnapshot{}, deleted(mapped(ada_in_stripe(), 0))}) {
    CHECK(error_of(decide(nobody, command(name_it("Bob")))) == ErrorCode::not_found);
    CHECK(error_of(decide(nobody, command(DeleteCustomer{}))) == ErrorCode::not_found);
    CHECK(error_of(decide(nobody, command(SyncCustomerToStripe{}))) == ErrorCode::not_found);
  }
}

TEST_CASE("delete without clean-up: the mapping ends here and now, what waits is told no more") {
  const auto snapshot = with(mapped(ada_in_stripe(), 0), update({kOwner, kCustomer, at(1), ""}, {}, {"name"}));
  const auto change = change_of(decide(snapshot, command(DeleteCustomer{false})));
  CHECK(change.customer->status == Status::deleted);
  CHECK(change.mapping->status == Status::deleted);
  CHECK(audited(change) == std::vector<std::string>{"delete", "unmap"});
  CHECK(change.new_intents.empty());
  REQUIRE(change.intents.size() == 1);
  CHECK(change.intents[0].state == IntentState::superseded);
}

TEST_CASE("delete with clean-up: what waits goes first, then the deletion; the mapping ends with Stripe's answer") {
  const auto snapshot = with(mapped(ada_in_stripe(), 0), update({kOwner, kCustomer, at(1), ""}, {}, {"name"}));
  const auto change = change_of(decide(snapshot, command(DeleteCustomer{true}, false)));
  CHECK(change.customer->status == Status::deleted);
  CHECK_FALSE(change.mapping);
  CHECK(change.intents.empty());
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].operation == IntentOperation::delete_customer);
  CHECK_FALSE(is_done_with(after(change, snapshot)));
}

TEST_CASE("delete with clean-up while the creation is on its way: the deletion follows it") {
  const auto waits = with(only_ours(), waiting_creation_of(only_ours()));
  const auto change = change_of(decide(waits, command(DeleteCustomer{true})));
  CHECK(change.intents.empty());
  CHECK(change.new_intents.at(0).operation == IntentOperation::delete_customer);
}

TEST_CASE("delete with clean-up of what Stripe never had: nothing to tell") {
  const auto change = change_of(decide(only_ours(), command(DeleteCustomer{true})));
  CHECK(change.customer->status == Status::deleted);
  CHECK(change.new_intents.empty());
  CHECK_FALSE(change.mapping);
}

TEST_CASE("sync-to-stripe: unmapped, the whole customer; mapped, the difference; equal, nothing") {
  const auto made = change_of(decide(only_ours(), command(SyncCustomerToStripe{}, false)));
  CHECK(made.new_intents.at(0).operation == IntentOperation::create_customer);
  CHECK(audited(made) == std::vector<std::string>{"sync"});
  CHECK_FALSE(made.customer);

  auto differs = mapped(ada_in_stripe(), 0);
  differs.customer->fields.name = "Bob";
  const auto told = change_of(decide(differs, command(SyncCustomerToStripe{}, false)));
  CHECK(told.new_intents.at(0).body == "name=Bob");

  const auto reply = unchanged(decide(mapped(ada_in_stripe(), 0), command(SyncCustomerToStripe{})));
  CHECK(reply.mapping->provider_entity_id == "cus_1");
  CHECK_FALSE(reply.intent);
}

TEST_CASE("sync-to-stripe pushes what no waiting intent says, and answers with the one that waits") {
  auto snapshot = mapped(ada_in_stripe(), 0);
  snapshot.customer->fields.name = "Bob";
  snapshot = with(snapshot, update({kOwner, kCustomer, at(1), ""}, snapshot.customer->fields, {"name"}));
  CHECK(unchanged(decide(snapshot, command(SyncCustomerToStripe{}))).intent->id == snapshot.intents[0].id);
  snapshot.customer->fields.email = "bob@example.com";
  const auto change = change_of(decide(snapshot, command(SyncCustomerToStripe{})));
  CHECK(change.new_intents.at(0).body == "email=bob%40example.com");
}

TEST_CASE("after a deletion in Stripe an update makes the customer anew") {
  auto snapshot = mapped(ada_in_stripe(), 0);
  snapshot.mapping.reset();
  snapshot.shadow->deleted = true;
  const auto change = change_of(decide(snapshot, command(name_it("Bob"))));
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].operation == IntentOperation::create_customer);
  CHECK_THAT(change.new_intents[0].body, Contains("name=Bob&email=ada%40example.com"));
}
