// DESIGN section 6, telling Stripe: what is done with an intent, and what Stripe's answer means for our customer.
#include "sync/push.hpp"

#include <catch2/catch.hpp>

#include "support/customer_snapshots.hpp"
#include "support/stripe_model.hpp"
#include "sync/intents.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace flexsync::test;
using Catch::Matchers::Contains;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using stripe::Lane;

namespace {

const RetryPolicy kRetry{0, seconds{1}, minutes{5}};
const IntentOrigin kOrigin{kOwner, kCustomer, at(0), "req_1"};

CustomerFields fields_of(const std::string& name) {
  CustomerFields fields;
  fields.name = name;
  fields.email = "ada@example.com";
  return fields;
}

Intent an_update(const std::string& name) {
  return update(kOrigin, fields_of(name), {"name"});
}

Intent a_creation() {
  return creation(kOrigin, fields_of("Ada"));
}

stripe::Answered answered(const stripe::CustomerState& state, std::int64_t from, std::int64_t to,
                          bool replayed = false) {
  return {to_object_json(state), {at(from), at(to)}, replayed};
}

stripe::Answered deleted_answer() {
  return {R"({"id":"cus_1","object":"customer","deleted":true})", {at(9), at(10)}, false};
}

// The first waiting intent's outcome.
PushTask outcome(const EntitySnapshot& snapshot, PushResult result, StripeId id = kStripe) {
  return {kOwner, 3, kCustomer, snapshot.intents.at(0), std::move(id), std::move(result), at(20)};
}

PushDecision decide(const EntitySnapshot& snapshot, PushResult result) {
  return decide_pushed(outcome(snapshot, std::move(result)), snapshot, {}, kRetry);
}

ChangeSet change_of(const PushDecision& decision) {
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

bool asks_again(const PushDecision& decision) {
  return std::holds_alternative<AskAgain>(decision);
}

stripe::CustomerState in_stripe(const std::string& name) {
  auto state = ada_in_stripe();
  state.name = name;
  state.metadata = {{"flexprice_customer_id", kCustomer.str()}, {"flexprice_environment", "env_1"}};
  return state;
}

// Mapped, local name `name`, an update of it waiting; Stripe was last seen as Ada in second 0.
EntitySnapshot told(const std::string& name) {
  auto snapshot = mapped(in_stripe("Ada"), 0);
  snapshot.customer->fields.name = name;
  return with(std::move(snapshot), an_update(name));
}

EntitySnapshot creating() {
  return with(only_ours(), a_creation());
}

}  // namespace

// --- what to do now

TEST_CASE("an intent is sent as it is stored: bytes, key, lane, to the mapped object") {
  const auto intent = an_update("Bob");
  const auto step = next_step(intent, kStripe, Lane::interactive, at(1));
  REQUIRE(std::holds_alternative<stripe::Call>(step));
  const auto& call = std::get<stripe::Call>(step);
  CHECK(call.method == "POST");
  CHECK(call.path == "/v1/customers/cus_1");
  CHECK(call.body == intent.body);
  CHECK(call.idempotency_key == intent.idempotency_key);
  CHECK(call.lane == Lane::interactive);

  const auto made = std::get<stripe::Call>(next_step(a_creation(), {}, Lane::sync, at(1)));
  CHECK(made.path == "/v1/customers");
  CHECK(made.lane == Lane::sync);
  const auto gone = std::get<stripe::Call>(next_step(deletion(kOrigin), kStripe, Lane::sync, at(1)));
  CHECK(gone.method == "DELETE");
  CHECK(gone.path == "/v1/customers/cus_1");
}

TEST_CASE("what cannot be told any more is known without a call") {
  const auto is = [](const PushStep& step, auto wanted) {
    const auto* result = std::get_if<PushResult>(&step);
    return result != nullptr && std::holds_alternative<decltype(wanted)>(*result);
  };
  CHECK(is(next_step(a_creation(), kStripe, Lane::sync, at(1)), AlreadyMapped{}));
  CHECK(is(next_step(an_update("Bob"), {}, Lane::sync, at(1)), NoCounterpart{}));
  CHECK(is(next_step(deletion(kOrigin), {}, Lane::sync, at(1)), NoCounterpart{}));
}

TEST_CASE("a key lives 23 hours: then an update gets a new one, a creation is searched for, a deletion just goes") {
  const auto just = at(0) + kKeyLife - seconds{1};
  const auto over = at(0) + kKeyLife;
  CHECK(std::holds_alternative<stripe::Call>(next_step(an_update("Bob"), kStripe, Lane::sync, just)));
  CHECK(std::holds_alternative<stripe::Call>(next_step(a_creation(), {}, Lane::sync, just)));
  const auto spent = next_step(an_update("Bob"), kStripe, Lane::sync, over);
  CHECK(std::holds_alternative<KeySpent>(std::get<PushResult>(spent)));
  const auto search = next_step(a_creation(), {}, Lane::sync, over);
  REQUIRE(std::holds_alternative<LookFirst>(search));
  CHECK(std::get<LookFirst>(search).created_since == at(0) - kLookBack);
  CHECK(std::holds_alternative<stripe::Call>(next_step(deletion(kOrigin), kStripe, Lane::sync, over)));
}

TEST_CASE("a creation whose key proves nothing any more is searched for, however young") {
  auto intent = a_creation();
  intent.look_first = true;
  CHECK(std::holds_alternative<LookFirst>(next_step(intent, {}, Lane::sync, at(1))));
}

TEST_CASE("a listed customer is an intent's doing by our metadata of this environment, by nothing else") {
  const auto intent = a_creation();
  CHECK(is_made_by(in_stripe("Ada"), intent, kOwner));
  CHECK_FALSE(is_made_by(ada_in_stripe(), intent, kOwner));
  auto other = in_stripe("Ada");
  other.metadata["flexprice_environment"] = "env_2";
  CHECK_FALSE(is_made_by(other, intent, kOwner));
  other = in_stripe("Ada");
  other.metadata["flexprice_customer_id"] = "cust_2";
  CHECK_FALSE(is_made_by(other, intent, kOwner));
}

// --- what the answer means

TEST_CASE("a creation's answer: mapping, shadow, settled intent and audit in one change set") {
  const auto snapshot = creating();
  const auto change = change_of(decide(snapshot, answered(in_stripe("Ada"), 9, 10)));
  CHECK(change.epoch == 3);
  REQUIRE(change.mapping);
  CHECK(change.mapping->provider_entity_id == "cus_1");
  CHECK(change.mapping->metadata.at("sync_direction") == "outbound");
  CHECK(change.mapping->metadata.at("created_via") == "api");
  CHECK(change.mapping->metadata.at("intent_id") == snapshot.intents[0].id.str());
  CHECK(change.stripe_object->true_during == TrueInterval{at(9), at(10)});
  CHECK(change.stripe_object->state == stripe::to_canonical(in_stripe("Ada")));
  REQUIRE(change.intents.size() == 1);
  CHECK(change.intents[0].state == IntentState::settled);
  CHECK(change.intents[0].settled_at == at(20));
  CHECK(audited(change) == std::vector<std::string>{"update", "map"});
  CHECK(change.audit[0].actor == "outbox:" + snapshot.intents[0].id.str());
  CHECK(change.audit[0].request_id == "req_1");
  CHECK(change.customer->fields.metadata == Metadata{{"stripe_customer_id", "cus_1"}});
  CHECK_FALSE(change.settlement);
}

TEST_CASE("what changed here without an intent while the creation was on its way is told with its answer") {
  auto snapshot = creating();  // say, the last state of a former Stripe customer that came late
  snapshot.customer->fields.contact = "+41";
  const auto change = change_of(decide(snapshot, answered(in_stripe("Ada"), 9, 10)));
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].body == "phone=%2B41");
  CHECK(change.customer->fields.contact == "+41");
  const auto covered = with(snapshot, update(kOrigin, snapshot.customer->fields, {"contact"}));
  CHECK(change_of(decide(covered, answered(in_stripe("Ada"), 9, 10))).new_intents.empty());
}

TEST_CASE("an update's answer settles it and advances the shadow; our customer is not written") {
  const auto change = change_of(decide(told("Bob"), answered(in_stripe("Bob"), 9, 10)));
  CHECK_FALSE(change.customer);
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK(change.stripe_object->true_during == TrueInterval{at(9), at(10)});
  CHECK(change.stripe_object->version == 2);
}

TEST_CASE("what Stripe changed beside our update is taken over with its answer") {
  auto state = in_stripe("Bob");
  state.phone = "+41";
  const auto change = change_of(decide(told("Bob"), answered(state, 9, 10)));
  CHECK(change.customer->fields.contact == "+41");
  CHECK(change.customer->fields.name == "Bob");
}

TEST_CASE("the answer to the first of two changes does not undo the second, whoever wins conflicts") {
  auto snapshot = with(told("Bob"), an_update("Cleo"));
  snapshot.customer->fields.name = "Cleo";
  for (const auto conflict : {FieldConflict::local, FieldConflict::stripe}) {
    Settings settings;
    settings.conflict = conflict;
    const auto task = outcome(snapshot, answered(in_stripe("Bob"), 9, 10));
    const auto change = change_of(decide_pushed(task, snapshot, settings, kRetry));
    CHECK_FALSE(change.customer);
    CHECK(change.intents.size() == 1);
    CHECK(after(change, snapshot).intents.at(0).body == "name=Cleo");
  }
}

TEST_CASE("an answer equal to the shadow settles, and the shadow is true for longer") {
  auto snapshot = told("Bob");
  snapshot.shadow->state = stripe::to_canonical(in_stripe("Bob"));
  const auto newer = change_of(decide(snapshot, answered(in_stripe("Bob"), 9, 10)));
  CHECK(newer.intents.at(0).state == IntentState::settled);
  CHECK(newer.stripe_object->true_during == TrueInterval{at(9), at(10)});
  snapshot.shadow->true_during = {at(9), at(10)};
  CHECK_FALSE(change_of(decide(snapshot, answered(in_stripe("Bob"), 9, 10))).stripe_object);
}

TEST_CASE("a replayed answer and a tie ask again") {
  CHECK(asks_again(decide(told("Bob"), answered(in_stripe("Bob"), 9, 10, true))));
  CHECK(asks_again(decide(creating(), answered(in_stripe("Ada"), 9, 10, true))));
  auto snapshot = told("Bob");
  snapshot.shadow->true_during = {at(10), at(12)};
  CHECK(asks_again(decide(snapshot, answered(in_stripe("Bob"), 9, 10))));
  snapshot.shadow->true_during = {at(8), at(9)};
  CHECK(asks_again(decide(snapshot, answered(in_stripe("Bob"), 9, 10))));
}

TEST_CASE("an older answer settles and leaves the shadow; what Stripe changed since stands") {
  auto snapshot = told("Bob");
  snapshot.shadow->true_during = {at(15), at(15)};
  snapshot.shadow->state = stripe::to_canonical(in_stripe("Eve"));  // its event came while Bob was kept
  const auto change = change_of(decide(snapshot, answered(in_stripe("Bob"), 9, 10)));
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK_FALSE(change.stripe_object);
  CHECK(change.customer->fields.name == "Eve");

  auto second = with(snapshot, an_update("Cleo"));  // unless a later change of ours waits
  second.customer->fields.name = "Cleo";
  CHECK_FALSE(change_of(decide(second, answered(in_stripe("Bob"), 9, 10))).customer);
}

TEST_CASE("an answer that comes after the deletion in Stripe settles and revives nothing") {
  auto snapshot = creating();
  snapshot.shadow = mapped(in_stripe("Ada"), 5).shadow;
  snapshot.shadow->deleted = true;
  const auto change = change_of(decide(snapshot, answered(in_stripe("Ada"), 9, 10)));
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK_FALSE(change.mapping);
  CHECK_FALSE(change.stripe_object);
}

TEST_CASE("a creation's answer for a customer that is mapped elsewhere by now is for a person") {
  auto snapshot = with(mapped(in_stripe("Ada"), 5), a_creation());
  auto other = in_stripe("Ada");
  other.id = StripeId("cus_2");
  snapshot.shadow.reset();
  const auto change = change_of(decide(snapshot, answered(other, 9, 10)));
  CHECK(change.intents.at(0).state == IntentState::refused);
  CHECK_THAT(change.intents.at(0).error_message, Contains("cus_1") && Contains("cus_2"));
  CHECK_FALSE(change.mapping);
  CHECK_FALSE(change.customer);
}

TEST_CASE("a creation's answer for a customer that was deleted here: known, and nothing revived") {
  auto snapshot = only_ours();
  snapshot.customer->status = Status::deleted;
  auto task = outcome(creating(), answered(in_stripe("Ada"), 9, 10));  // it was superseded meanwhile
  const auto change = change_of(decide_pushed(task, snapshot, {}, kRetry));
  CHECK(change.stripe_object->entity_id == kCustomer.str());
  CHECK_FALSE(change.customer);
  CHECK_FALSE(change.mapping);
  CHECK(change.intents.empty());
}

TEST_CASE("a creation's answer while its deletion waits: mapped all the same, for the deletion needs the id") {
  auto snapshot = with(creating(), deletion(kOrigin));
  snapshot.customer->status = Status::deleted;
  const auto change = change_of(decide(snapshot, answered(in_stripe("Ada"), 9, 10)));
  CHECK(change.mapping->status == Status::published);
  CHECK_FALSE(change.customer);
  CHECK(after(change, snapshot).intents.at(0).operation == IntentOperation::delete_customer);
}

TEST_CASE("a deletion's answer, or Stripe not knowing it: tombstone, and the mapping ends") {
  auto snapshot = with(mapped(in_stripe("Ada"), 0), deletion(kOrigin));
  snapshot.customer->status = Status::deleted;
  for (const auto& result : {PushResult(deleted_answer()), PushResult(stripe::NotFound{"No such customer"})}) {
    const auto change = change_of(decide(snapshot, result));
    CHECK(change.stripe_object->deleted);
    CHECK(change.mapping->status == Status::deleted);
    CHECK(change.intents.at(0).state == IntentState::settled);
    CHECK_FALSE(change.customer);
    CHECK(audited(change) == std::vector<std::string>{"unmap"});
  }
}

TEST_CASE("refused: for a person, with Stripe's words") {
  const auto why = change_of(decide(told("Bob"), stripe::Refused{"email_invalid", "Invalid email", "email"}));
  CHECK(why.intents.at(0).state == IntentState::refused);
  CHECK(why.intents.at(0).error_code == "email_invalid");
  CHECK(why.intents.at(0).error_message == "Invalid email (email)");
  const auto missing = change_of(decide(told("Bob"), stripe::NotFound{"No such customer: 'cus_1'"}));
  CHECK(missing.intents.at(0).state == IntentState::refused);
  CHECK(missing.intents.at(0).error_code == "resource_missing");
  const auto nonsense = change_of(decide(told("Bob"), stripe::Answered{"[]", {at(9), at(10)}, false}));
  CHECK(nonsense.intents.at(0).error_code == "unreadable_answer");
}

TEST_CASE("no counterpart: an update is refused with what to do, a deletion has nothing left to do") {
  const auto change = change_of(decide(with(only_ours(), an_update("Bob")), NoCounterpart{}));
  CHECK(change.intents.at(0).state == IntentState::refused);
  CHECK(change.intents.at(0).error_code == "not_mapped");
  CHECK(change_of(decide(with(only_ours(), deletion(kOrigin)), NoCounterpart{})).intents.at(0).state ==
        IntentState::settled);
}

TEST_CASE("already mapped: the creation is superseded, what differs becomes an update") {
  auto snapshot = with(mapped(in_stripe("Ada"), 5), a_creation());
  CHECK(change_of(decide(snapshot, AlreadyMapped{})).new_intents.empty());
  snapshot.customer->fields.name = "Bob";
  const auto change = change_of(decide(snapshot, AlreadyMapped{}));
  CHECK(change.intents.at(0).state == IntentState::superseded);
  CHECK(change.new_intents.at(0).body == "name=Bob");
  snapshot.customer->status = Status::deleted;
  CHECK(change_of(decide(snapshot, AlreadyMapped{})).new_intents.empty());
}

// --- unknown outcomes

TEST_CASE("unknown and not stored: the same key and bytes again, later and later") {
  const auto fresh = told("Bob");
  const auto first = change_of(decide(fresh, stripe::Unknown{"a timeout", false})).intents.at(0);
  CHECK(first.idempotency_key == fresh.intents[0].idempotency_key);
  CHECK(first.state == IntentState::ready);
  CHECK(first.attempts == 1);
  CHECK(first.error_code == "outcome_unknown");
  CHECK(first.error_message == "a timeout");
  CHECK(first.next_attempt_at > at(20));
  CHECK(first.next_attempt_at <= at(21));
  auto snapshot = told("Bob");
  snapshot.intents[0].attempts = 8;
  const auto later = change_of(decide(snapshot, stripe::Unknown{"a timeout", false})).intents.at(0);
  CHECK(later.idempotency_key == snapshot.intents[0].idempotency_key);
  CHECK(later.next_attempt_at >= at(20) + seconds{128});
  CHECK_FALSE(later.look_first);
}

TEST_CASE("a stored 5xx: a creation is looked for, an update gets a new key") {
  const auto snapshot = creating();
  const auto made = change_of(decide(snapshot, stripe::Unknown{"500", true})).intents.at(0);
  CHECK(made.look_first);
  CHECK(made.idempotency_key == snapshot.intents[0].idempotency_key);
  const auto before = told("Bob");
  const auto changed = change_of(decide(before, stripe::Unknown{"500", true})).intents.at(0);
  CHECK_FALSE(changed.look_first);
  CHECK(changed.idempotency_key != before.intents[0].idempotency_key);
  CHECK(changed.keyed_at == at(20));
  CHECK(changed.next_attempt_at > at(20));
}

TEST_CASE("looked for and not there: a new, durable key") {
  auto snapshot = creating();
  snapshot.intents[0].look_first = true;
  const auto change = change_of(decide(snapshot, KeySpent{}));
  CHECK(change.intents.at(0).state == IntentState::ready);
  CHECK(change.intents.at(0).idempotency_key != snapshot.intents[0].idempotency_key);
  CHECK_FALSE(change.intents.at(0).look_first);
}

TEST_CASE("not asked: it waits as it did, and says why") {
  const auto before = told("Bob");
  const auto change = change_of(decide(before, NotAsked{"not_connected", "Invalid API Key provided"}));
  auto expected = before.intents[0];
  expected.error_code = "not_connected";
  expected.error_message = "Invalid API Key provided";
  CHECK(change.intents == std::vector{expected});
  CHECK_FALSE(change.stripe_object);
}

TEST_CASE("whatever became of an intent that is settled by now, nothing is written of it") {
  const auto task = outcome(told("Bob"), stripe::Unknown{"a timeout", false});
  auto snapshot = told("Bob");
  snapshot.intents.clear();
  for (const auto& result :
       {PushResult(stripe::Unknown{"", true}), PushResult(stripe::Refused{"", "", ""}), PushResult(KeySpent{}),
        PushResult(AlreadyMapped{}), PushResult(NoCounterpart{}), PushResult(NotAsked{"not_connected", ""})}) {
    auto late = task;
    late.result = result;
    const auto change = change_of(decide_pushed(late, snapshot, {}, kRetry));
    CHECK(change.intents.empty());
    CHECK(change.new_intents.empty());
    CHECK_FALSE(change.stripe_object);
  }
}

// --- after AskAgain

TEST_CASE("asked again: Stripe's present state stands, also in the field that was told") {
  auto snapshot = told("Bob");
  snapshot.shadow->true_during = {at(10), at(12)};
  snapshot.shadow->state = stripe::to_canonical(in_stripe("Eve"));
  const auto task = outcome(snapshot, answered(in_stripe("Bob"), 9, 10));
  const auto change = decide_pushed_fetched(task, snapshot, {}, in_stripe("Eve"), {at(19), at(20)});
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK(change.customer->fields.name == "Eve");
  CHECK(change.stripe_object->true_during == TrueInterval{at(19), at(20)});
}

TEST_CASE("asked again, and it is gone: tombstone, whatever else waits is superseded") {
  const auto snapshot = with(told("Bob"), an_update("Cleo"));
  const auto task = outcome(snapshot, answered(in_stripe("Bob"), 9, 10, true));
  stripe::CustomerState gone;
  gone.id = kStripe;
  gone.deleted = true;
  const auto change = decide_pushed_fetched(task, snapshot, {}, gone, {at(19), at(20)});
  CHECK(change.stripe_object->deleted);
  CHECK(change.mapping->status == Status::deleted);
  REQUIRE(change.intents.size() == 2);
  CHECK(change.intents[0].state == IntentState::settled);
  CHECK(change.intents[1].state == IntentState::superseded);
}

TEST_CASE("asked again, and Stripe cannot be asked now: the intent is sent once more") {
  const auto snapshot = creating();
  const auto task = outcome(snapshot, answered(in_stripe("Ada"), 9, 10, true));
  const auto change = decide_pushed_unconfirmed(task, snapshot, "503", kRetry);
  CHECK(change.intents.at(0).state == IntentState::ready);
  CHECK(change.intents.at(0).attempts == 1);
  CHECK(change.intents.at(0).idempotency_key == snapshot.intents[0].idempotency_key);
  CHECK_FALSE(change.mapping);
}

TEST_CASE("asked again, and Stripe cannot be asked at all: what is at hand stands, marked for reconcile") {
  const auto fresh = creating();
  const auto made =
      decide_pushed_unanswered(outcome(fresh, answered(in_stripe("Ada"), 9, 10, true)), fresh, Settings{});
  CHECK(made.mapping);
  CHECK(made.stripe_object->needs_reconcile);
  auto snapshot = told("Bob");
  snapshot.shadow->state = stripe::to_canonical(in_stripe("Eve"));
  const auto replayed =
      decide_pushed_unanswered(outcome(snapshot, answered(in_stripe("Bob"), 9, 10, true)), snapshot, {});
  CHECK(replayed.intents.at(0).state == IntentState::settled);
  CHECK(replayed.stripe_object->needs_reconcile);
  CHECK(replayed.stripe_object->state == snapshot.shadow->state);  // a replayed answer may be older than this
  CHECK(replayed.stripe_object->version == 2);
}

TEST_CASE("a conflict in the database ends the intent with its words") {
  const auto snapshot = creating();
  const auto change = decide_push_conflict(outcome(snapshot, answered(in_stripe("Ada"), 9, 10)), snapshot, "taken");
  CHECK(change.intents.at(0).state == IntentState::refused);
  CHECK(change.intents.at(0).error_code == "conflict");
  CHECK(change.intents.at(0).error_message == "taken");
}
