#include "stripe_sim/resources/subscription_store.hpp"

#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/price_catalog.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "subscription";
constexpr std::size_t kEmbeddedItemsMax = 10;

// The text of every subscription in which the id stands: parsing them all to look for it would be slow.
std::vector<SharedText> mentioning(const Account& account, const Json& id) {
  std::vector<SharedText> found;
  const auto store = account.objects.find(kObject);
  if (store == account.objects.end()) {
    return found;
  }
  const std::string quoted = id.dump();
  for (const SharedText& text : store->second.all()) {
    if (text->find(quoted) != std::string::npos) {
      found.push_back(text);
    }
  }
  return found;
}

void note_next_step(Account& account, const Json& subscription, const SubscriptionProgress& progress) {
  const auto next = next_step(subscription, progress);
  account.subscription_ledger.set_progress(subscription.at("id").get<std::string>(), progress,
                                           next ? std::optional(next->moment) : std::nullopt);
}

void keep_first(Json& items) {
  while (items.size() > kEmbeddedItemsMax) {
    items.erase(items.size() - 1);
  }
}

void announce(Simulator& simulator, Account& account, const Json& before, const Json& after, const std::string& event,
              const RequestOrigin& origin) {
  const Json shown = shown_subscription(after);
  const auto emit = [&](const std::string& type, const Json& previous) {
    simulator.emit_event(account, type, shown, previous, origin);
  };
  if (before.is_null()) {
    emit("customer.subscription.created", nullptr);
  } else if (after.at("status") == "canceled" && before.at("status") != "canceled") {
    emit("customer.subscription.deleted", nullptr);
  } else if (Json previous = previous_attributes(before, after); !previous.empty()) {
    // Of all items: a change of the eleventh is a change, though the event does not show it.
    if (previous.contains("items") && previous.at("items").contains("data")) {
      keep_first(previous["items"]["data"]);
    }
    emit("customer.subscription.updated", previous);
  }
  if (!event.empty()) {
    emit(event, nullptr);
  }
}

void take_due_step(Simulator& simulator, Account& account, const std::string& id) {
  SubscriptionLedger& ledger = account.subscription_ledger;
  const Json before = *account.objects[kObject].find(id);
  SubscriptionProgress progress = ledger.progress(id);
  const auto next = next_step(before, progress);
  if (!next) {
    ledger.set_progress(id, progress, std::nullopt);
    return;
  }
  Json after = before;
  const PaymentHabits habits = ledger.habits(before.at("customer").get<std::string>());
  const std::string event = take_step(*next, after, progress, habits);
  progress.changed_at = next->moment;
  save_subscription(simulator, account, before, std::move(after), progress, event, {{}, {}, next->moment});
}

}  // namespace

Expandable expandable_in_subscription() {
  static const Expandable kExpandable = {"customer",
                                         "default_payment_method",
                                         "default_source",
                                         "discounts",
                                         "items.data.plan.product",
                                         "items.data.price.product",
                                         "latest_invoice",
                                         "latest_invoice.confirmation_secret",
                                         "pending_setup_intent",
                                         "schedule",
                                         "test_clock"};
  return kExpandable;
}

Json shown_subscription(const Json& stored) {
  Json shown = stored;
  Json& data = shown.at("items").at("data");
  shown["items"]["has_more"] = data.size() > kEmbeddedItemsMax;
  keep_first(data);
  return shown;
}

Json shown_subscription(ApiCall& call, const Json& stored, const std::set<std::string>& expand) {
  Json shown = shown_subscription(stored);
  if (expand.contains("customer")) {
    shown["customer"] = *call.objects("customer").find(stored.at("customer").get<std::string>());
  }
  for (Json& item : shown.at("items").at("data")) {
    for (const std::string terms : {"price", "plan"}) {
      if (expand.contains("items.data." + terms + ".product")) {
        Json& product = item.at(terms).at("product");
        product = *call.objects("product").find(product.get<std::string>());
      }
    }
  }
  return shown;
}

Json find_subscription(ApiCall& call, const std::string& id, const std::string& param) {
  return live_object(call, kObject, kObject, id, param);
}

Json save_subscription(Simulator& simulator, Account& account, const Json& before, Json after,
                       const SubscriptionProgress& progress, const std::string& event, const RequestOrigin& origin) {
  note_next_step(account, after, progress);
  if (after == before && event.empty()) {  // a payment that succeeded shows nowhere
    return after;
  }
  after["items"]["total_count"] = after.at("items").at("data").size();
  if (after.at("cancel_at_period_end") == true && !has_ended(after)) {
    after["cancel_at"] = first_period_end(after);
    note_next_step(account, after, progress);
  }
  if (before.is_null()) {
    account.objects[kObject].insert(after);
  } else {
    account.objects[kObject].replace(after);
  }
  account.subscription_ledger.set_items(before, after);
  announce(simulator, account, before, after, event, origin);
  return after;
}

bool is_subscribed_to(const Account& account, const std::string& price_id) {
  return !mentioning(account, price_id).empty();
}

void refresh_items(ApiCall& call, const Json& price) {
  const Json& id = price.at("id");
  for (const SharedText& text : mentioning(call.account, id)) {
    Json subscription = Json::parse(*text);
    for (Json& item : subscription.at("items").at("data")) {
      if (item.at("price").at("id") == id) {
        item["price"] = shown_price(call, price, {});
        item["plan"] = shown_plan(call, price, {});
      }
    }
    call.objects(kObject).replace(subscription);
  }
}

void run_due_subscriptions(Simulator& simulator) {
  const std::int64_t now = simulator.clock().now();
  while (true) {
    Account* account = nullptr;
    SubscriptionLedger::Due first{now, {}};
    for (auto& [key, candidate] : simulator.accounts()) {
      const auto due = candidate.subscription_ledger.first_due();
      if (due && due->first <= now && (account == nullptr || *due < first)) {
        account = &candidate;
        first = *due;
      }
    }
    if (account == nullptr) {
      return;
    }
    take_due_step(simulator, *account, first.second);
  }
}

std::vector<Json> subscriptions_of(const Account& account, const std::string& customer_id) {
  std::vector<Json> subscriptions;
  for (const SharedText& text : mentioning(account, customer_id)) {
    Json subscription = Json::parse(*text);
    if (subscription.at("customer") == customer_id && !has_ended(subscription)) {
      subscriptions.push_back(std::move(subscription));
    }
  }
  return subscriptions;
}

void cancel_subscriptions_of(ApiCall& call, const std::string& customer_id) {
  const std::int64_t now = call.simulator.clock().now();
  for (const Json& before : subscriptions_of(call.account, customer_id)) {
    Json after = before;
    after["canceled_at"] = now;
    cancel(after, now, "cancellation_requested");
    save_subscription(call.simulator, call.account, before, std::move(after), {}, {}, call.origin);
  }
}

}  // namespace stripe_sim
