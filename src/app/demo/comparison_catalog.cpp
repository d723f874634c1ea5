// Products with plans and addons, prices, and subscriptions. As in comparison.cpp, the rules stand here once more.
#include <algorithm>
#include <tuple>

#include "app/demo/catalog.hpp"
#include "app/demo/comparison.hpp"
#include "domain/time.hpp"

namespace flexsync::app::demo {

namespace {

// Null and absent read as "".
std::string text(const Json& object, const std::string& field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) {
    return {};
  }
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string time(const Json& object, const std::string& field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_number() ? to_rfc3339(from_unix_seconds(found->get<std::int64_t>()))
                                                     : std::string();
}

// Stripe counts cents (the demo's currencies have two decimals), Flexsync writes the shortest decimal.
std::string main_unit(const Json& cents) {
  if (!cents.is_number()) {
    return {};
  }
  auto digits = cents.dump();
  digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
  auto amount = digits.substr(0, digits.size() - 2) + "." + digits.substr(digits.size() - 2);
  amount.erase(amount.find_last_not_of('0') + 1);
  return amount.ends_with('.') ? amount.substr(0, amount.size() - 1) : amount;
}

std::string period_word(const std::string& interval) {
  return interval == "month" ? "MONTHLY" : interval == "year" ? "ANNUAL" : interval;
}

std::string status_word(bool active) {
  return active ? "published" : "archived";
}

std::string subscription_word(const std::string& status) {
  return status == "canceled" ? "cancelled" : status == "incomplete_expired" ? "inactive" : status;
}

// Oldest first, of one second the lowest id: the first is the plan's, the others are addons.
std::vector<Json> items_by_age(const Json& subscription) {
  auto items = subscription.at("items").at("data").get<std::vector<Json>>();
  std::sort(items.begin(), items.end(), [](const Json& a, const Json& b) {
    return std::tuple(a.at("created").get<std::int64_t>(), text(a, "id")) <
           std::tuple(b.at("created").get<std::int64_t>(), text(b, "id"));
  });
  return items;
}

std::string product_of(const Json& item) {
  return item.at("price").at("product").get<std::string>();
}

std::string with_quantity(const std::string& name, const std::string& quantity) {
  return quantity.empty() || quantity == "1" ? name : name + " × " + quantity;
}

std::string joined(std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  std::string all;
  for (const auto& part : parts) {
    all += (all.empty() ? "" : ", ") + part;
  }
  return all;
}

// "addon addon_… price_… 3" of Stripe's item, by the mappings.
std::string item_line(const Catalog& catalog, const Json& item, const std::string& kind) {
  return kind + " " + catalog.id_of(kind, product_of(item)) + " " + text(item.at("price"), "id") + " " +
         text(item, "quantity");
}

std::string own_item_line(const Json& ours, const std::string& item) {
  for (const auto& line : ours.at("line_items")) {
    if (line.at("id") == item) {
      return text(line, "entity_type") + " " + text(line, "entity_id") + " " + text(line, "price_id") + " " +
             text(line, "quantity");
    }
  }
  return {};
}

std::string own_names(const Catalog& catalog, const Json& ours, const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& line : ours.at("line_items")) {
    if (line.at("entity_type") == kind) {
      names.push_back(with_quantity(catalog.own_name(text(line, "entity_id")), text(line, "quantity")));
    }
  }
  return joined(std::move(names));
}

void compare_items(const Catalog& catalog, const std::vector<Json>& items, const Json& ours,
                   std::vector<FieldPair>& pairs) {
  std::vector<std::string> addons;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& item = items[i];
    const auto name = with_quantity(catalog.product_name(product_of(item)), text(item, "quantity"));
    if (i == 0) {
      pairs.push_back({"plan", name, own_names(catalog, ours, "plan")});
    } else {
      addons.push_back(name);
    }
    const auto id = text(item, "id");
    pairs.push_back({"line_items." + id, item_line(catalog, item, i == 0 ? "plan" : "addon"), own_item_line(ours, id)});
  }
  pairs.push_back({"addons", joined(std::move(addons)), own_names(catalog, ours, "addon")});
  pairs.push_back({"line_items", std::to_string(items.size()), std::to_string(ours.at("line_items").size())});
}

void compare_prices(const Catalog& catalog, const std::string& product, const Json& ours,
                    std::vector<FieldPair>& pairs) {
  std::map<std::string, Json> own;
  for (const auto& price : ours.at("prices")) {
    own[text(price, "id")] = price;
  }
  std::size_t count = 0;
  for (const auto& price : catalog.prices) {
    if (price.at("product") != product) {
      continue;
    }
    ++count;
    const auto id = text(price, "id");
    const Json& known = own[id];
    const auto at = "prices." + id + ".";
    const auto shown = known.is_null() ? Json::object() : known;
    pairs.push_back({at + "amount", main_unit(price.at("unit_amount")), text(shown, "amount")});
    pairs.push_back({at + "currency", text(price, "currency"), text(shown, "currency")});
    pairs.push_back(
        {at + "billing_period", period_word(text(price.at("recurring"), "interval")), text(shown, "billing_period")});
    pairs.push_back({at + "status", status_word(price.at("active").get<bool>()), text(shown, "status")});
  }
  pairs.push_back({"prices", std::to_string(count), std::to_string(ours.at("prices").size())});
}

// The item whose period is the subscription's: of those that end first the one that began last.
const Json& ends_first(const std::vector<Json>& items) {
  const auto period = [](const Json& item) {
    return std::pair(item.at("current_period_end").get<std::int64_t>(),
                     -item.at("current_period_start").get<std::int64_t>());
  };
  return *std::min_element(items.begin(), items.end(),
                           [&](const Json& a, const Json& b) { return period(a) < period(b); });
}

}  // namespace

std::vector<FieldPair> compare_product(const Catalog& catalog, const Json& product, const Json& ours) {
  const auto id = text(product, "id");
  std::vector<FieldPair> pairs = {
      {"name", text(product, "name"), text(ours, "name")},
      {"description", text(product, "description"), text(ours, "description")},
      {"status", status_word(product.at("active").get<bool>()), text(ours, "status")},
      {"metadata", product.at("metadata").dump(), ours.at("metadata").dump()},
  };
  compare_prices(catalog, id, ours, pairs);
  return pairs;
}

std::vector<FieldPair> compare_subscription(const Catalog& catalog, const Json& subscription, const Json& ours) {
  const auto items = items_by_age(subscription);
  const auto& plan = items.front();
  const auto& current = ends_first(items);
  std::vector<FieldPair> pairs = {
      {"subscription_status", subscription_word(text(subscription, "status")), text(ours, "subscription_status")},
      {"cancel_at_period_end", text(subscription, "cancel_at_period_end"), text(ours, "cancel_at_period_end")},
      {"customer_id", catalog.id_of("customer", text(subscription, "customer")), text(ours, "customer_id")},
      {"plan_id", catalog.id_of("plan", product_of(plan)), text(ours, "plan_id")},
      {"currency", text(subscription, "currency"), text(ours, "currency")},
      {"start_date", time(subscription, "start_date"), text(ours, "start_date")},
      {"end_date", time(subscription, "ended_at"), text(ours, "end_date")},
      {"cancelled_at", time(subscription, "canceled_at"), text(ours, "cancelled_at")},
      {"current_period_start", time(current, "current_period_start"), text(ours, "current_period_start")},
      {"current_period_end", time(current, "current_period_end"), text(ours, "current_period_end")},
      {"metadata", subscription.at("metadata").dump(), ours.at("metadata").dump()},
  };
  compare_items(catalog, items, ours, pairs);
  return pairs;
}

}  // namespace flexsync::app::demo
