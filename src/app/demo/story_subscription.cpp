// The whole life of a subscription, with an event that comes twice, two in the wrong order, and a lost one.
#include <algorithm>
#include <array>

#include "app/demo/comparison.hpp"
#include "app/demo/patience.hpp"
#include "app/demo/story.hpp"

namespace flexsync::app::demo {

namespace {

constexpr const char* kUpdated = "customer.subscription.updated";
constexpr std::array<const char*, 4> kShown = {"subscription_status", "plan", "addons", "cancel_at_period_end"};

Json next(const std::string& action, const std::string& type, int count) {
  return {{{"action", action}, {"type", type}, {"count", count}}};
}

}  // namespace

std::string Story::make_product(const std::string& name, const std::string& description) {
  const auto product = world_.create_in_stripe("products", {{"name", name}, {"description", description}});
  auto id = product.at("id").get<std::string>();
  screen_.event("product.created", world_.last_event(id), name);
  return id;
}

std::string Story::make_price(const std::string& product, const std::string& cents, const std::string& what) {
  const auto price = world_.create_in_stripe(
      "prices", {{"product", product}, {"unit_amount", cents}, {"currency", "usd"}, {"recurring[interval]", "month"}});
  screen_.stripe("has a price for it: " + what);
  return price.at("id").get<std::string>();
}

std::string Story::say_subscription(const std::string& type, const std::string& what) {
  auto event = world_.last_event(subscription_);
  screen_.event(type, event, what);
  return event;
}

std::string Story::change_subscription(const Form& fields, const std::string& what) {
  world_.update_in_stripe("subscriptions", subscription_, fields);
  return say_subscription(kUpdated, what);
}

void Story::show_catalog() {
  const auto catalog = world_.catalog();
  Table table({{"in Stripe"}, {"plan in Flexsync"}, {"addon in Flexsync"}, {"name"}, {"a month", true}});
  for (const auto& product : catalog.products) {
    const auto id = product.at("id").get<std::string>();
    const auto plan = catalog.plan_of(id);
    const auto prices = plan.is_null() ? Json::array() : plan.at("prices");
    table.add({id, plan.value("id", "(nothing)"), catalog.id_of("addon", id), plan.value("name", ""),
               prices.empty() ? "" : prices.at(0).at("amount").get<std::string>()});
  }
  screen_.table(table);
}

bool Story::show_subscription() {
  const auto catalog = world_.catalog();
  const auto in_stripe = world_.stripe().get("/v1/subscriptions/" + subscription_);
  const auto ours = catalog.subscription_of(subscription_);
  if (ours.is_null()) {
    throw Failure("Flexsync has no subscription for " + subscription_);
  }
  Table table({{"field"}, {"in Stripe"}, {"in Flexsync"}, {""}});
  bool equal = true;
  for (const auto& pair : compare_subscription(catalog, in_stripe, ours)) {
    if (std::find(kShown.begin(), kShown.end(), pair.field) != kShown.end()) {
      table.add({pair.field, pair.stripe, pair.flexsync, pair.equal() ? "" : "not yet equal"});
      equal = equal && pair.equal();
    }
  }
  screen_.table(table);
  return equal;
}

void Story::products_appear() {
  screen_.scene("Products and prices appear in Stripe, one price before its product");
  basic_price_ = make_price(make_product("Basic", "For one"), "1000", "10.00 USD a month");
  world_.next_deliveries(next("hold", "product.created", 1));
  pro_price_ = make_price(make_product("Pro", "For a team"), "4050", "40.50 USD a month (its product is held back)");
  seat_price_ = make_price(make_product("Extra seat", "One more in the team"), "500", "5.00 USD a month");
  world_.settle();
  world_.release_held("given");
  screen_.stripe("delivers the product that was held back");
  world_.settle();
  screen_.flexsync("made a plan and an addon of each product: only a subscription tells which of them it is");
  show_catalog();
  world_.advance_clock(60);
}

void Story::somebody_subscribes() {
  screen_.scene("Grace subscribes, and the webhook comes twice");
  world_.next_deliveries(next("duplicate", "customer.subscription.created", 1));
  const auto made = world_.create_in_stripe("subscriptions", {{"customer", grace_}, {"items[0][price]", basic_price_}});
  subscription_ = made.at("id").get<std::string>();
  const auto event = say_subscription("customer.subscription.created", "Grace takes Basic");
  world_.settle();
  const auto deliveries = world_.attempts(event).size();
  const auto subscriptions = world_.catalog().own_subscriptions.size();
  screen_.flexsync("answered " + std::to_string(deliveries) + " deliveries, and has " + std::to_string(subscriptions) +
                   (subscriptions == 1 ? " subscription" : " subscriptions"));
  show_subscription();
  if (deliveries != 2 || subscriptions != 1) {
    throw Failure("the event should have come twice and made one subscription");
  }
  const auto other = world_.create_in_stripe(
      "subscriptions", {{"customer", ada_}, {"items[0][price]", basic_price_}, {"items[1][price]", seat_price_}});
  screen_.event("customer.subscription.created", world_.last_event(other.at("id").get<std::string>()),
                "Ada takes Basic and a seat, and keeps both to the end");
  world_.settle();
  world_.advance_clock(60);
}

void Story::subscription_grows() {
  screen_.scene("She upgrades and adds seats; the two webhooks arrive in the wrong order");
  world_.next_deliveries(next("hold", kUpdated, 2));
  const auto item = world_.stripe().get("/v1/subscriptions/" + subscription_).at("items").at("data").at(0).at("id");
  const auto upgrade = change_subscription({{"items[0][id]", item.get<std::string>()}, {"items[0][price]", pro_price_}},
                                           "Basic becomes Pro, in place (held back)");
  world_.advance_clock(60);
  world_.create_in_stripe("subscription_items",
                          {{"subscription", subscription_}, {"price", seat_price_}, {"quantity", "3"}});
  const auto seats = say_subscription(kUpdated, "three extra seats (held back, too)");
  world_.release_held("reversed");
  screen_.stripe("delivers both, the newer one first");
  world_.settle();
  screen_.flexsync("took plan and addon from the newer state; the subscription is still the same one");
  show_events({seats, upgrade});
  show_subscription();
  world_.advance_clock(60);
}

void Story::payment_fails() {
  screen_.scene("A payment fails and is made up for, but Flexsync does not hear of that");
  world_.payments_fail(subscription_, true);
  say_subscription(kUpdated, "her card is declined");
  world_.settle();
  show_subscription();
  world_.advance_clock(60);

  world_.next_deliveries({{{"action", "drop"}, {"lost", true}, {"type", kUpdated}}});
  world_.payments_fail(subscription_, false);
  const auto lost = say_subscription(kUpdated, "she has paid; this webhook is lost for good");
  world_.settle();
  if (!world_.event(lost).is_null()) {
    throw Failure("the lost webhook arrived all the same");
  }
  if (show_subscription()) {
    throw Failure("without the lost webhook both sides should not be equal yet");
  }
  world_.advance_clock(60);

  change_subscription({{"cancel_at_period_end", "true"}}, "she wants it to end with the month");
  world_.settle();
  screen_.flexsync("took the whole state from the next event, and with it what was lost");
  show_subscription();
  world_.advance_clock(60);
}

void Story::subscription_ends() {
  screen_.scene("She stays after all, and then she goes");
  change_subscription({{"cancel_at_period_end", "false"}}, "she stays");
  world_.settle();
  show_subscription();
  world_.advance_clock(60);
  world_.cancel_subscription(subscription_);
  say_subscription("customer.subscription.deleted", "she cancels at once");
  world_.settle();
  screen_.flexsync("keeps the subscription, cancelled, with what it was for");
  show_subscription();
  world_.advance_clock(60);
}

}  // namespace flexsync::app::demo
