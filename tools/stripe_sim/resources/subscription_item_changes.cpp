// Changes of a subscription's items: read from a request and made to the object.
#include <algorithm>
#include <map>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/price_catalog.hpp"
#include "stripe_sim/resources/subscription_params.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kIdCharacters = 14;
constexpr std::size_t kItemsMax = 20;

std::string param_of(const ItemChange& change, const std::string& field) {
  return change.where.empty() ? field : change.where + "[" + field + "]";
}

// In classic billing mode one subscription has one interval.
void check_intervals(const Json& subscription, const std::string& param) {
  const Json& items = subscription.at("items").at("data");
  const Json& first = items.front().at("price").at("recurring");
  const bool is_mixed = std::any_of(items.begin(), items.end(), [&first](const Json& item) {
    const Json& recurring = item.at("price").at("recurring");
    return recurring.at("interval") != first.at("interval") ||
           recurring.at("interval_count") != first.at("interval_count");
  });
  if (is_mixed && subscription.at("billing_mode").at("type") == "classic") {
    throw invalid_request(
        "Currently all prices on a subscription must have the same `recurring.interval` and "
        "`recurring.interval_count`.",
        param)
        .once_executing();
  }
}

// The price of that id, if it can be subscribed to.
Json subscribable_price(ApiCall& call, const ItemChange& change, const Json& subscription) {
  const std::string param = param_of(change, "price");
  const Json price = live_object(call, "price", "price", *change.price, param);
  if (!is_plan(price)) {
    throw invalid_request(
        "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
        param)
        .once_executing();
  }
  if (price.at("active") == false) {
    throw invalid_request("The price specified is inactive. This field only accepts active prices.", param)
        .once_executing();
  }
  const std::string currency = price.at("currency").get<std::string>();
  if (!subscription.at("currency").is_null() && subscription.at("currency") != currency) {
    throw invalid_request("The price specified only supports `" + currency +
                              "`. This doesn't match the expected "
                              "currency: `" +
                              subscription.at("currency").get<std::string>() + "`.",
                          param)
        .once_executing();
  }
  return price;
}

void set_price(ApiCall& call, const Json& price, Json& item, Json& subscription) {
  item["price"] = shown_price(call, price, {});
  item["plan"] = shown_plan(call, price, {});
  subscription["currency"] = price.at("currency");
}

void set_quantity(const ItemChange& change, Json& item) {
  const bool is_metered = item.at("price").at("recurring").at("usage_type") == "metered";
  if (is_metered && change.quantity) {
    throw invalid_request("Quantity should not be specified where usage_type is `metered`. Remove quantity from " +
                              (change.where.empty() ? "the item" : "`" + change.where + "`") + ".",
                          param_of(change, "quantity"));
  }
  if (change.quantity && *change.quantity < 0) {
    throw invalid_request("This value must be greater than or equal to 0.", param_of(change, "quantity"),
                          "parameter_invalid_integer");
  }
  if (is_metered) {
    item.erase("quantity");
  } else if (change.quantity || !item.contains("quantity")) {
    item["quantity"] = change.quantity.value_or(1);
  }
}

void set_metadata(const ItemChange& change, Json& item) {
  Json tree = Json::object();
  if (change.metadata) {
    tree["metadata"] = change.metadata->is_null() ? Json("") : *change.metadata;
  }
  Params params(tree, change.where);
  apply_metadata(params, item);
}

void add_item(ApiCall& call, const ItemChange& change, Json& subscription) {
  if (!change.price) {
    throw invalid_request("Missing required param: " + param_of(change, "price") + ".", param_of(change, "price"),
                          "parameter_missing");
  }
  Json item{{"id", call.simulator.ids().mint("si_", kIdCharacters)},
            {"object", "subscription_item"},
            {"billing_thresholds", nullptr},
            {"created", call.simulator.clock().now()},
            {"current_period_end", nullptr},
            {"current_period_start", nullptr},
            {"current_trial", nullptr},
            {"discounts", Json::array()},
            {"metadata", Json::object()},
            {"subscription", subscription.at("id")},
            {"tax_rates", Json::array()}};
  set_price(call, subscribable_price(call, change, subscription), item, subscription);
  set_quantity(change, item);
  set_metadata(change, item);
  subscription["items"]["data"].push_back(std::move(item));
}

void change_item(ApiCall& call, const ItemChange& change, Json& subscription) {
  Json& items = subscription["items"]["data"];
  const auto item = std::find_if(items.begin(), items.end(), [&](const Json& it) { return it.at("id") == *change.id; });
  if (item == items.end()) {
    throw no_such("subscription_item", *change.id, param_of(change, "id"));
  }
  if (change.is_removed) {
    items.erase(item);
    return;
  }
  if (change.price && item->at("price").at("id") != *change.price) {
    set_price(call, subscribable_price(call, change, subscription), *item, subscription);
  }
  set_quantity(change, *item);
  set_metadata(change, *item);
}

void check_items(const std::vector<ItemChange>& changes, const Json& subscription) {
  const Json& items = subscription.at("items").at("data");
  const std::string where = changes.empty() || changes.back().where.empty() ? "" : "items";
  if (items.empty()) {
    throw invalid_request("A subscription must have at least one active plan.", where).once_executing();
  }
  if (items.size() > kItemsMax) {
    throw invalid_request("A subscription may have at most 20 items.", where).once_executing();
  }
  check_intervals(subscription, where);
  std::set<std::string> prices;
  for (const Json& item : items) {
    const std::string price = item.at("price").at("id").get<std::string>();
    if (!prices.insert(price).second) {
      throw invalid_request("Cannot add multiple subscription items with the same plan: " + price,
                            where.empty() ? "price" : where)
          .once_executing();
    }
  }
}

}  // namespace

ItemChange read_item_change(Params& fields) {
  fields.refuse({"billing_thresholds", "current_trial", "discounts", "price_data", "tax_rates"});
  ItemChange change;
  const auto price = fields.text("price");
  const auto plan = fields.text("plan");
  if (price && plan) {
    throw invalid_request("You may only specify one of these parameters: plan, price.", fields.name("price"));
  }
  change.price = price ? price : plan;
  change.quantity = fields.integer("quantity");
  change.metadata = fields.hash("metadata");
  return change;
}

std::vector<ItemChange> read_item_changes(Params& params) {
  const Json given = params.hash("items").value_or(Json::object());
  std::map<std::int64_t, ItemChange> by_index;
  std::set<std::string> ids;
  for (const auto& [index, item] : given.items()) {
    if (!item.is_object() || index.find_first_not_of("0123456789") != std::string::npos || index.size() > 4) {
      throw invalid_request("Invalid array", "items");
    }
    const std::string where = "items[" + index + "]";
    Params fields(item, where);
    ItemChange change = read_item_change(fields);
    change.where = where;
    change.id = fields.text("id");
    change.is_removed = fields.boolean("deleted").value_or(false);
    fields.ignore("clear_usage");
    fields.finish();
    if (change.id && !ids.insert(*change.id).second) {
      throw invalid_request("The subscription item " + *change.id + " was given more than once.", where + "[id]");
    }
    if (change.is_removed && !change.id) {
      throw invalid_request("Missing required param: " + where + "[id].", where + "[id]", "parameter_missing");
    }
    by_index[std::stoll(index)] = std::move(change);
  }
  std::vector<ItemChange> changes;
  for (auto& [index, change] : by_index) {
    changes.push_back(std::move(change));
  }
  return changes;
}

void apply_item_changes(ApiCall& call, const std::vector<ItemChange>& changes, Json& subscription) {
  for (const ItemChange& change : changes) {
    if (change.id) {
      change_item(call, change, subscription);
    } else {
      add_item(call, change, subscription);
    }
  }
  check_items(changes, subscription);
}

}  // namespace stripe_sim
