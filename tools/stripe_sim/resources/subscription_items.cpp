// /v1/subscription_items: https://docs.stripe.com/api/subscription_items
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/subscription_change.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kNoun = "subscription_item";
constexpr const char* kUrl = "/v1/subscription_items";

Json item_of(const Json& subscription, const std::string& id) {
  const Json& items = subscription.at("items").at("data");
  const auto found = std::find_if(items.begin(), items.end(), [&](const Json& item) { return item.at("id") == id; });
  return found == items.end() ? Json() : *found;
}

// The subscription that the path's item is on. Throws StripeError.
Json subscription_of_item(ApiCall& call) {
  const std::string owner = call.account.subscription_ledger.owner_of(call.id());
  if (owner.empty()) {
    throw no_such(kNoun, call.id());
  }
  return find_subscription(call, owner);
}

void check_is_alive(const Json& subscription) {
  if (has_ended(subscription) || subscription.at("status") == "incomplete") {
    throw invalid_request(
        "The items of a subscription that is " + subscription.at("status").get<std::string>() + " cannot be changed.",
        "subscription")
        .once_executing();
  }
}

ChangeTerms read_item_terms(Params& params) {
  ChangeTerms terms;
  read_billing_behavior(params, terms);
  params.ignore("proration_date");
  read_expand(params, {});
  return terms;
}

Json changed(ApiCall& call, const Json& before, const ItemChange& change, const ChangeTerms& terms) {
  check_is_alive(before);
  Json after = before;
  apply_item_changes(call, {change}, after);
  return change_subscription(call, before, std::move(after), terms, {});
}

Json create(ApiCall& call) {
  const ChangeTerms terms = read_item_terms(call.params);
  const std::string id = call.params.required_text("subscription");
  const ItemChange change = read_item_change(call.params);
  call.params.finish();
  const Json before = find_subscription(call, id, "subscription");
  const Json after = changed(call, before, change, terms);
  const Json& items = after.at("items").at("data");
  // Where its payment failed, it is shown as it waits in the pending update.
  return items.size() > before.at("items").at("data").size()
             ? items.back()
             : after.at("pending_update").at("subscription_items").back();
}

Json update(ApiCall& call) {
  const ChangeTerms terms = read_item_terms(call.params);
  ItemChange change = read_item_change(call.params);
  call.params.finish();
  change.id = call.id();
  return item_of(changed(call, subscription_of_item(call), change, terms), call.id());
}

Json remove(ApiCall& call) {
  const ChangeTerms terms = read_item_terms(call.params);
  call.params.boolean("clear_usage");
  call.params.finish();
  ItemChange change;
  change.id = call.id();
  change.is_removed = true;
  changed(call, subscription_of_item(call), change, terms);
  return {{"id", call.id()}, {"object", "subscription_item"}, {"deleted", true}};
}

Json retrieve(ApiCall& call) {
  read_expand(call.params, {});
  call.params.finish();
  return item_of(subscription_of_item(call), call.id());
}

Json list(ApiCall& call) {
  const ListQuery query = read_page_query(call.params);
  const std::string id = call.params.required_text("subscription");
  call.params.finish();
  const Json subscription = find_subscription(call, id, "subscription");
  const Json& items = subscription.at("items").at("data");
  return list_object(page_of({items.begin(), items.end()}, query, kNoun), kUrl);
}

}  // namespace

void add_subscription_item_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/subscription_items/{id}", update);
  routes.add("GET", "/v1/subscription_items/{id}", retrieve);
  routes.add("DELETE", "/v1/subscription_items/{id}", remove);
}

}  // namespace stripe_sim
