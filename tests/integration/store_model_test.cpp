// The store in memory, on which the actor tests stand, says of the outbox what the database says: random change sets
// go to both. FLEXSYNC_SEED=<seed> repeats a failure.
#include "support/store_model.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "integration/change_world.hpp"
#include "store/outbox_source.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::ChangeWorld;
using flexsync::testing::kStart;

namespace {

struct World : ChangeWorld {
  explicit World(std::uint32_t seed) : random(seed) { model_epoch = model.take_ownership(scope).epoch; }

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random); }
  std::string entity() { return "cust_" + std::to_string(pick(6)); }

  // One intent in both, each with the seq it has there.
  struct Twin {
    Intent real;
    Intent modelled;
  };

  Intent changed(Intent intent, IntentState state, Timestamp due) const {
    intent.state = state;
    intent.next_attempt_at = due;
    intent.attempts += 1;
    return intent;
  }

  void step() {
    ChangeSet real;
    real.scope = scope;
    real.epoch = epoch;
    for (int i = pick(3); i > 0; --i) {
      real.new_intents.push_back(intent("intent_" + std::to_string(twins.size() + real.new_intents.size()), entity(),
                                        kStart + std::chrono::seconds(pick(20) - 15)));
    }
    if (!real.new_intents.empty() && !twins.empty() && pick(10) == 0) {
      real.new_intents.front().id = twins.front().real.id;  // as if the answer had been lost
    }
    auto modelled = real;
    modelled.epoch = model_epoch;
    if (!twins.empty() && pick(2) == 0) {
      const auto& twin = twins[static_cast<std::size_t>(pick(static_cast<int>(twins.size())))];
      const auto state = static_cast<IntentState>(pick(4));
      const auto due = kStart + std::chrono::seconds(pick(20));
      real.intents = {changed(twin.real, state, due)};
      modelled.intents = {changed(twin.modelled, state, due)};
    }
    submit_both(real, modelled);
  }

  void submit_both(ChangeSet& real, ChangeSet& modelled) {
    const auto reply = submit({real}).front();
    const auto expected = model.apply(modelled);
    REQUIRE(reply.result == expected.result);
    REQUIRE(reply.intent_seqs.size() == expected.intent_seqs.size());
    for (std::size_t i = 0; i < reply.intent_seqs.size(); ++i) {
      real.new_intents[i].seq = reply.intent_seqs[i];
      modelled.new_intents[i].seq = expected.intent_seqs[i];
      twins.push_back({real.new_intents[i], modelled.new_intents[i]});
    }
  }

  void compare_pages() {
    const auto now = kStart + std::chrono::seconds(pick(25) - 5);
    const std::vector<std::string> busy(static_cast<std::size_t>(pick(2)), entity());
    const int rows_max = pick(8) + 1;
    std::promise<Result<store::OutboxPage>> promise;
    store::StoreOutboxSource(pool).read_ready(scope, now, rows_max, busy,
                                              [&](auto read) { promise.set_value(std::move(read)); });
    const auto page = promise.get_future().get();
    REQUIRE(page);
    const auto expected = model.ready_intents(scope, now, rows_max, busy);
    CHECK(without_seq(page->rows) == without_seq(expected.rows));
    CHECK(page->next_due == expected.next_due);
  }

  void compare_snapshots() {
    const auto customer = entity();
    CHECK(without_seq(load(customer, "").intents) ==
          without_seq(model.load(test::of_customer(scope, CustomerId{customer})).intents));
  }

  static std::vector<Intent> without_seq(std::vector<Intent> intents) {
    for (auto& intent : intents) {
      intent.seq = 0;
    }
    return intents;
  }

  static std::vector<Intent> without_seq(const std::vector<store::OutboxRow>& rows) {
    std::vector<Intent> intents;
    for (const auto& row : rows) {
      intents.push_back(row.intent);
    }
    return without_seq(std::move(intents));
  }

  std::mt19937 random;
  test::StoreModel model;
  std::int64_t model_epoch = 0;
  std::vector<Twin> twins;
};

}  // namespace

TEST_CASE("the outbox of the store in memory behaves as the database's", "[store_model]") {
  const auto* repeated = std::getenv("FLEXSYNC_SEED");
  const auto seed =
      repeated != nullptr ? static_cast<std::uint32_t>(std::strtoul(repeated, nullptr, 10)) : std::random_device{}();
  CAPTURE(seed);
  World world(seed);
  for (int i = 0; i < 150; ++i) {
    world.step();
    world.compare_pages();
    if (i % 10 == 0) {
      world.compare_snapshots();
    }
  }
}
