#include "support/object_history.hpp"

#include <algorithm>
#include <array>

namespace flexsync::test {

namespace {

constexpr std::int64_t kFirstSecond = 1'790'000'000;
constexpr std::array kWords = {"", "Gold", "Silver"};

int pick(std::mt19937_64& random, int choices) {
  return std::uniform_int_distribution<int>(0, choices - 1)(random);
}

std::string some_word(std::mt19937_64& random) {
  return kWords.at(static_cast<std::size_t>(pick(random, 3)));
}

// The states of one object, from `first` on; `change` makes the next, given its second.
template <class State, class Change>
ObjectHistory history_of(std::mt19937_64& random, int events, const std::string& type, State state,
                         const Change& change, const State& answer_when_deleted) {
  ObjectHistory history;
  auto second = kFirstSecond + pick(random, 3);
  for (int i = 0; i < events; ++i) {
    std::string what = i == 0 ? ".created" : ".updated";
    if (i > 0) {
      second += std::array{0, 0, 0, 1, 2}.at(static_cast<std::size_t>(pick(random, 5)));
      if (i + 1 == events && pick(random, 3) == 0) {
        what = ".deleted";
        state.deleted = true;
      } else {
        change(state, second);
      }
    }
    const stripe::ObjectEvent event{
        StripeEventId("evt_" + std::to_string(i)), type + what, from_unix_seconds(second), {}, state};
    history.operations.push_back(
        {second, event, state.deleted ? stripe::ObjectState(answer_when_deleted) : stripe::ObjectState(state)});
  }
  history.object = stripe::key_of(history.operations.front().event.state);
  return history;
}

stripe::SubscriptionItem new_item(std::mt19937_64& random, int number, std::int64_t second) {
  const std::string product(1, static_cast<char>('a' + pick(random, 4)));
  return {StripeId("si_" + std::to_string(pick(random, 90) + 10) + std::to_string(number)),
          StripeId("price_" + product),
          StripeId("prod_" + product),
          "month",
          1,
          pick(random, 3) + 1,
          from_unix_seconds(second)};
}

void change_items(std::mt19937_64& random, stripe::SubscriptionState& state, int number, std::int64_t second) {
  auto& items = state.items;
  const auto some = items.begin() + pick(random, static_cast<int>(items.size()));
  switch (pick(random, 4)) {
    case 0:
      items.push_back(new_item(random, number, second));
      break;
    case 1:  // replaced
      *some = new_item(random, number, second);
      break;
    case 2:
      if (items.size() > 1) {
        items.erase(some);
      }
      break;
    default:
      some->quantity = pick(random, 3) + 1;
  }
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
}

// An ended subscription can be fetched: it is canceled; and its metadata can be changed.
void end_somewhere(std::mt19937_64& random, ObjectHistory& history) {
  auto& operations = history.operations;
  const bool ends = stripe::is_deleted(operations.back().event.state);
  if (!ends && (operations.size() < 2 || pick(random, 2) == 0)) {
    return;
  }
  const auto end = ends ? operations.size() - 1
                        : static_cast<std::size_t>(1 + pick(random, static_cast<int>(operations.size()) - 1));
  auto state = std::get<stripe::SubscriptionState>(operations[end].event.state);
  stripe::mark_ended(state);
  operations[end].event.type = "customer.subscription.deleted";
  for (auto i = end; i < operations.size(); ++i) {
    if (i > end) {
      state.metadata["a"] = some_word(random);
    }
    operations[i].event.state = state;
    operations[i].answer = state;
  }
}

}  // namespace

ObjectHistory product_history(std::mt19937_64& random, int events) {
  stripe::ProductState state;
  state.id = StripeId("prod_1");
  state.name = some_word(random);
  auto gone = stripe::ProductState{};
  gone.id = state.id;
  gone.deleted = true;
  const auto change = [&](stripe::ProductState& next, std::int64_t) {
    switch (pick(random, 4)) {
      case 0:
        next.name = some_word(random);
        break;
      case 1:
        next.description = some_word(random);
        break;
      case 2:
        next.active = !next.active;
        break;
      default:
        next.metadata["tier"] = some_word(random);
    }
  };
  auto history = history_of(random, events, "product", state, change, gone);
  history.entity = {EntityKind::plan, "plan_1"};
  return history;
}

ObjectHistory price_history(std::mt19937_64& random, int events) {
  stripe::PriceState state;
  state.id = StripeId("price_1");
  state.product = StripeId("prod_1");
  state.currency = "usd";
  state.unit_amount = Decimal(100);
  state.interval = "month";
  state.usage_type = "licensed";
  state.billing_scheme = "per_unit";
  auto gone = state;
  gone.deleted = true;
  const auto change = [&](stripe::PriceState& next, std::int64_t) {
    switch (pick(random, 3)) {
      case 0:
        next.nickname = some_word(random);
        break;
      case 1:
        next.active = !next.active;
        break;
      default:
        next.metadata["tier"] = some_word(random);
    }
  };
  auto history = history_of(random, events, "price", state, change, gone);
  history.entity = {EntityKind::plan, "plan_1"};
  return history;
}

ObjectHistory subscription_history(std::mt19937_64& random, int events) {
  constexpr std::array kStatuses = {"active", "past_due", "trialing", "unpaid"};
  stripe::SubscriptionState state;
  state.id = StripeId("sub_1");
  state.customer = StripeId("cus_1");
  state.status = "active";
  state.currency = "usd";
  state.items = {new_item(random, 0, kFirstSecond)};
  int number = 0;
  const auto change = [&](stripe::SubscriptionState& next, std::int64_t second) {
    switch (pick(random, 4)) {
      case 0:
        next.status = kStatuses.at(static_cast<std::size_t>(pick(random, 4)));
        break;
      case 1:
        next.cancel_at_period_end = !next.cancel_at_period_end;
        break;
      default:
        change_items(random, next, ++number, second);
    }
  };
  auto history = history_of(random, events, "customer.subscription", state, change, state);
  end_somewhere(random, history);
  history.entity = {EntityKind::subscription, "subs_1"};
  return history;
}

std::string describe(const ObjectHistory& history) {
  std::string text;
  for (const auto& operation : history.operations) {
    text += std::to_string(operation.second) + " " + operation.event.type + " " +
            stripe::to_canonical(operation.event.state) + "\n";
  }
  return text;
}

}  // namespace flexsync::test
