#include "stripe_sim/versions/embedded.hpp"

#include "stripe_sim/versions/objects.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kEmbeddedUntil = "2020-08-27";
constexpr std::size_t kEmbeddedMax = 10;

bool is_tiered_plan(const std::string& kind, const Json& object) {
  return kind == "plan" && object.value("billing_scheme", Json()) == "tiered";
}

// Newest first, without those that have ended, as in GET /v1/subscriptions.
Json subscriptions_of(Account& account, const std::string& customer_id) {
  Json found = Json::array();
  const auto store = account.objects.find("subscription");
  if (store == account.objects.end()) {
    return found;
  }
  const auto is_theirs = [&customer_id](const Json& subscription) {
    return subscription.value("customer", Json()) == customer_id && subscription.value("status", Json()) != "canceled";
  };
  ListQuery query;
  query.limit = kEmbeddedMax;
  ListPage page = store->second.list(query, is_theirs, "subscription");
  for (Json& subscription : page.items) {
    found.push_back(std::move(subscription));
  }
  return found;
}

void gather(Account& account, const Json& shown, Json& lists) {
  visit_objects(shown, [&](const std::string& kind, const Json& object) {
    const std::string id = object.value("id", std::string());
    if (kind == "customer" && !lists["subscriptions"].contains(id)) {
      const Json subscriptions = subscriptions_of(account, id);
      lists["subscriptions"][id] = subscriptions;
      gather(account, subscriptions, lists);
    } else if (is_tiered_plan(kind, object)) {
      const auto price = account.objects["price"].find(id);
      lists["tiers"][id] = price ? price->value("tiers", Json()) : Json();
    }
  });
}

}  // namespace

bool embeds_lists(const std::string& version) {
  return version < kEmbeddedUntil;
}

Json embedded_lists(Account& account, const Json& shown) {
  Json lists{{"subscriptions", Json::object()}, {"tiers", Json::object()}};
  gather(account, shown, lists);
  return lists;
}

void embed(Json& shown, const Json& lists) {
  visit_objects(shown, [&lists](const std::string& kind, Json& object) {
    const std::string id = object.value("id", std::string());
    if (kind == "customer" && !object.contains("subscriptions") && lists.at("subscriptions").contains(id)) {
      const Json& subscriptions = lists.at("subscriptions").at(id);
      object["subscriptions"] = {{"object", "list"},
                                 {"data", subscriptions},
                                 {"has_more", false},
                                 {"total_count", subscriptions.size()},
                                 {"url", "/v1/customers/" + id + "/subscriptions"}};
    } else if (is_tiered_plan(kind, object) && !object.contains("tiers") && lists.at("tiers").contains(id)) {
      object["tiers"] = lists.at("tiers").at(id);
    }
  });
}

}  // namespace stripe_sim
