// The outbox as change sets write it.
#include <catch2/catch.hpp>
#include <vector>

#include "integration/change_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;

namespace {

using World = flexsync::testing::ChangeWorld;
using Seqs = std::vector<std::int64_t>;

// The seq of the only new intent of a change that has to be taken.
std::int64_t commit(World& world, const ChangeSet& change) {
  const auto reply = world.submit({change}).front();
  REQUIRE(reply.result == ChangeResult::committed);
  REQUIRE(reply.intent_seqs.size() == change.new_intents.size());
  return reply.intent_seqs.empty() ? 0 : reply.intent_seqs.front();
}

Intent stored(World& world, const std::string& customer) {
  const auto intents = world.load(customer, "").intents;
  REQUIRE(intents.size() == 1);
  return intents.front();
}

}  // namespace

TEST_CASE("a command's customer and intent are committed together, and read back as they were", "[outbox]") {
  World world;
  const auto command = world.command("1");
  const auto seq = commit(world, command);
  const auto loaded = world.load("cust_1", "");
  CHECK(loaded.customer == command.customer);
  auto expected = command.new_intents;
  expected.front().seq = seq;
  CHECK(loaded.intents == expected);
  CHECK(world.value("SELECT count(*) FROM inbox_outcomes") == "0");
  CHECK(world.value("SELECT actor FROM audit_log WHERE entity_type = 'customer'") == "api_key:secret_1");
}

TEST_CASE("what is refused leaves no intent", "[outbox]") {
  World world;
  auto command = world.command("1");
  auto expected = ChangeResult::stale_version;
  SECTION("a customer that has moved on") {
    command.customer->version = 2;
  }
  SECTION("an owner that was replaced") {
    command.epoch += 1;
    expected = ChangeResult::stale_epoch;
  }
  SECTION("a customer that the database refuses") {
    command.customer->fields.address_country = "Germany";
    expected = ChangeResult::rejected;
  }
  const auto reply = world.submit({command}).front();
  CHECK(reply.result == expected);
  CHECK(reply.intent_seqs.empty());
  CHECK(world.value("SELECT count(*) FROM outbox") == "0");
}

TEST_CASE("an intent that cannot be stored takes its customer with it", "[outbox]") {
  World world;
  auto command = world.command("1");
  command.new_intents.front().idempotency_key.clear();
  CHECK(world.result(command) == ChangeResult::rejected);
  CHECK(world.value("SELECT count(*) FROM customers") == "0");
}

TEST_CASE("mapping, shadow and settled intent are committed together or not at all", "[outbox]") {
  World world;
  commit(world, world.command("1"));
  const auto ready = stored(world, "cust_1");
  auto answer = world.answer("1", ready);
  SECTION("together") {
    commit(world, answer);
    const auto loaded = world.load("cust_1", "");
    CHECK(loaded.intents.empty());
    CHECK(loaded.mapping == answer.mapping);
    CHECK(loaded.shadow == answer.stripe_object);  // found by the mapping alone
    CHECK(world.value("SELECT state FROM outbox") == "settled");
    CHECK(world.value("SELECT settled_at - created_at FROM outbox") == "00:00:01");
  }
  SECTION("not with a shadow that has moved on") {
    answer.stripe_object->version = 2;
    CHECK(world.result(answer) == ChangeResult::stale_version);
    CHECK(stored(world, "cust_1") == ready);
    CHECK(world.value("SELECT count(*) FROM entity_integration_mappings") == "0");
  }
  SECTION("not with a mapping that is another's") {
    commit(world, world.command("2"));
    commit(world, world.answer("2", stored(world, "cust_2")));
    answer.mapping->provider_entity_id = "cus_2";
    const auto reply = world.submit({answer}).front();
    CHECK(reply.result == ChangeResult::conflict);
    CHECK(reply.message == "Stripe object cus_2 is already mapped to another customer");
    CHECK(stored(world, "cust_1") == ready);
  }
  SECTION("not when the intent is finished already") {
    for (const std::string state : {"settled", "refused", "superseded"}) {
      world.sql("UPDATE outbox SET state = '" + state + "'");
      CHECK(world.result(answer) == ChangeResult::stale_version);
    }
    CHECK(world.value("SELECT count(*) FROM entity_integration_mappings") == "0");
    CHECK(world.value("SELECT count(*) FROM stripe_objects") == "0");
  }
}

TEST_CASE("an attempt that failed is kept with all that the next one needs; the request stays as it was", "[outbox]") {
  World world;
  commit(world, world.command("1"));
  auto intent = stored(world, "cust_1");
  const auto before = intent;
  intent.attempts = 3;
  intent.next_attempt_at = kStart + 1h;
  intent.look_first = true;
  intent.error_code = "rate_limit";
  intent.error_message = "slow \"down\", please";
  intent.idempotency_key = "key_2";
  intent.keyed_at = kStart + 25h;
  ChangeSet change;
  change.scope = world.scope;
  change.epoch = world.epoch;
  change.intents = {intent};
  change.intents.front().body = "name=Eve";
  change.intents.front().entity_id = "cust_2";
  commit(world, change);
  CHECK(stored(world, "cust_1") == intent);
  CHECK(intent.body == before.body);

  change.intents.front().error_message = std::string("of bytes \0 and \xFF", 16);  // whatever a proxy says
  commit(world, change);
  CHECK(stored(world, "cust_1").error_message == "of bytes \xEF\xBF\xBD and \xEF\xBF\xBD");
}

TEST_CASE("intents keep the order in which their change sets hold them", "[outbox]") {
  World world;
  auto first = world.command("1");
  first.new_intents.clear();
  std::vector<std::string> expected;
  for (const std::string id : {"z", "a", "m", "b", "y"}) {
    first.new_intents.push_back(World::intent(id, "cust_1"));
    expected.push_back(id);
  }
  auto second = world.command("1");
  second.customer->version = 2;
  second.new_intents = {World::intent("c", "cust_1")};
  expected.emplace_back("c");
  const auto seqs = world.submit({first}).front().intent_seqs;
  CHECK(std::is_sorted(seqs.begin(), seqs.end()));
  CHECK(commit(world, second) > seqs.back());
  std::vector<std::string> order;
  Seqs read;
  for (const auto& intent : world.load("cust_1", "").intents) {
    order.push_back(intent.id.str());
    read.push_back(intent.seq);
  }
  CHECK(order == expected);
  CHECK(Seqs(read.begin(), read.end() - 1) == seqs);
}

TEST_CASE("losers of the outbox cost the others of their batch nothing", "[outbox]") {
  World world;
  commit(world, world.command("taken"));
  const auto taken = stored(world, "cust_taken");
  std::vector<ChangeSet> changes;
  for (int i = 0; i < 40; ++i) {
    changes.push_back(world.command(std::to_string(i)));
  }
  changes[5].intents = {taken};  // superseded by another, or settled meanwhile
  changes[5].intents.front().seq += 1000;
  changes[9].customer->version = 7;
  changes[17].new_intents.front().idempotency_key = taken.idempotency_key;
  changes[23].customer->external_id = "ext_taken";
  changes[31].new_intents.front().attempts = -1;
  const auto replies = world.submit(changes);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CAPTURE(i, replies[i].message);
    const auto expected = i == 5 || i == 9     ? ChangeResult::stale_version
                          : i == 17 || i == 23 ? ChangeResult::conflict
                          : i == 31            ? ChangeResult::rejected
                                               : ChangeResult::committed;
    CHECK(replies[i].result == expected);
    REQUIRE(replies[i].intent_seqs.size() == (expected == ChangeResult::committed ? 1 : 0));
    if (expected == ChangeResult::committed) {
      const auto loaded = world.value("SELECT id FROM outbox WHERE seq = " + std::to_string(replies[i].intent_seqs[0]));
      CHECK(loaded == "intent_" + std::to_string(i));
    }
  }
  CHECK(replies[23].message == "external_id 'ext_taken' already belongs to another customer");
  CHECK(world.value("SELECT count(*) FROM outbox") == "36");
  CHECK(world.value("SELECT count(*) FROM customers") == "36");
  CHECK(world.value("SELECT count(*) FROM outbox o JOIN customers c ON c.id = o.entity_id") == "36");
}

TEST_CASE("a change set whose answer was lost is stale the second time, not a conflict", "[outbox]") {
  World world;
  auto command = world.command("1");
  commit(world, command);
  CHECK(world.result(command) == ChangeResult::stale_version);
  command.customer.reset();  // as a redrive or a sync on demand has none
  CHECK(world.result(command) == ChangeResult::stale_version);
  CHECK(world.value("SELECT count(*) FROM outbox") == "1");
}

TEST_CASE("an intent of another tenant with the same seq is not touched", "[outbox]") {
  World world;
  commit(world, world.command("1"));
  auto theirs = world.answer("1", stored(world, "cust_1"));
  theirs.scope = world.new_scope("Stranger");
  theirs.epoch = world.own(theirs.scope);
  CHECK(world.result(theirs) == ChangeResult::stale_version);
  CHECK(world.value("SELECT state FROM outbox") == "ready");
}
