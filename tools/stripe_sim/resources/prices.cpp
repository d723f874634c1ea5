// /v1/prices: https://docs.stripe.com/api/prices
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/price_catalog.hpp"
#include "stripe_sim/resources/price_terms.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "price";
constexpr const char* kNoun = "price";
constexpr const char* kUrl = "/v1/prices";
constexpr std::size_t kIdCharacters = 24;
constexpr std::size_t kLookupKeyCharactersMax = 200;
const Expandable kExpandable = {"product", "tiers"};

// Every parameter that create and update share, but the lookup key.
void apply(Params& params, Json& price) {
  apply_metadata(params, price);
  if (const auto active = params.boolean("active")) {
    price["active"] = *active;
  }
  if (const auto nickname = params.text("nickname")) {
    price["nickname"] = nickname->empty() ? Json() : Json(*nickname);
  }
  const auto behavior = params.one_of("tax_behavior", {"exclusive", "inclusive", "unspecified"});
  if (behavior && price.at("tax_behavior") != "unspecified" && price.at("tax_behavior") != *behavior) {
    throw invalid_request("tax_behavior cannot be changed once it is exclusive or inclusive.", "tax_behavior")
        .once_executing();
  }
  if (behavior && !behavior->empty()) {
    price["tax_behavior"] = *behavior;
  }
}

struct LookupKey {
  std::optional<std::string> key;
  bool is_transferred = false;
};

LookupKey read_lookup_key(Params& params) {
  LookupKey lookup{params.text("lookup_key"), params.boolean("transfer_lookup_key").value_or(false)};
  if (lookup.key && lookup.key->size() > kLookupKeyCharactersMax) {
    throw invalid_request("Invalid string: must be at most 200 characters.", "lookup_key",
                          "parameter_invalid_string_length");
  }
  return lookup;
}

// Sets the key; another price that has it loses it when it is transferred, else the request is refused.
void apply_lookup_key(ApiCall& call, const LookupKey& lookup, Json& price) {
  if (!lookup.key) {
    return;
  }
  price["lookup_key"] = lookup.key->empty() ? Json() : Json(*lookup.key);
  for (const SharedText& text : call.objects(kObject).all()) {
    const Json before = Json::parse(*text);
    if (lookup.key->empty() || before.at("lookup_key") != *lookup.key || before.at("id") == price.at("id")) {
      continue;
    }
    if (!lookup.is_transferred) {
      throw invalid_request("A price (`" + before.at("id").get<std::string>() + "`) already uses that lookup key.",
                            "lookup_key")
          .once_executing();
    }
    Json other = before;
    other["lookup_key"] = nullptr;
    change_price(call, before, other);
  }
}

Json read_price(ApiCall& call) {
  Params& params = call.params;
  params.refuse({"currency_options", "custom_unit_amount"});
  Json price{{"object", kObject},
             {"active", true},
             {"created", call.simulator.clock().now()},
             {"currency", read_currency(params)},
             {"custom_unit_amount", nullptr},
             {"livemode", call.account.livemode},
             {"lookup_key", nullptr},
             {"metadata", Json::object()},
             {"nickname", nullptr},
             {"tax_behavior", "unspecified"},
             {"tiers_mode", nullptr},
             {"transform_quantity", nullptr}};
  apply(params, price);
  apply_amounts(params, price);
  apply_recurrence(params, price);
  return price;
}

// The product that is named, or the one to be made with the price.
std::pair<std::string, Json> read_product_of_price(ApiCall& call, const std::optional<std::string>& id,
                                                   const std::optional<Json>& data) {
  if (id.has_value() == data.has_value()) {
    throw invalid_request("You must specify exactly one of these parameters: product, product_data.", "product",
                          id ? "" : "parameter_missing");
  }
  if (id) {
    live_object(call, "product", "product", *id, "product");
    return {*id, nullptr};
  }
  Params fields(*data, "product_data");
  Json product = read_product(call, fields);
  return {product.at("id").get<std::string>(), product};
}

Json create(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  Json price = read_price(call);
  const LookupKey lookup = read_lookup_key(call.params);
  const auto product_id = call.params.text("product");
  const auto product_data = call.params.hash("product_data");
  call.params.finish();
  check_meter(call, price, "recurring[meter]");
  const auto [product, new_product] = read_product_of_price(call, product_id, product_data);
  price["product"] = product;
  price["id"] = call.simulator.ids().mint("price_", kIdCharacters);
  apply_lookup_key(call, lookup, price);
  if (!new_product.is_null()) {
    add_product(call, new_product);
  }
  add_price(call, price);
  return shown_price(call, std::move(price), expand);
}

Json update(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  call.params.refuse({"currency_options"});
  const Json before = live_object(call, kObject, kNoun, call.id());
  Json price = before;
  apply(call.params, price);
  const LookupKey lookup = read_lookup_key(call.params);
  call.params.finish();
  apply_lookup_key(call, lookup, price);
  change_price(call, before, price);
  return shown_price(call, std::move(price), expand);
}

Json retrieve(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  call.params.finish();
  return shown_price(call, live_object(call, kObject, kNoun, call.id()), expand);
}

// Only the named fields of `recurring` count.
bool recurrence_matches(const Json& price, const Json& wanted) {
  const Json& recurring = price.at("recurring");
  for (const auto& [field, value] : wanted.items()) {
    if (recurring.is_null() || recurring.at(field) != value) {
      return false;
    }
  }
  return true;
}

Json read_recurrence_filter(Params& params) {
  const Json wanted = params.hash("recurring").value_or(Json::object());
  Params fields(wanted, "recurring");
  fields.one_of("interval", {"day", "week", "month", "year"});
  fields.one_of("usage_type", {"licensed", "metered"});
  fields.text("meter");
  fields.finish();
  return wanted;
}

Json list(ApiCall& call) {
  Params& params = call.params;
  const ListQuery query = read_list_query(params, kExpandable);
  const auto active = params.boolean("active");
  const auto currency = params.text("currency");
  const auto product = params.text("product");
  const auto type = params.one_of("type", {"one_time", "recurring"});
  const auto lookup_keys = params.list("lookup_keys");
  const Json recurrence = read_recurrence_filter(params);
  params.finish();
  const auto filter = [&](const Json& price) {
    const auto is_key = [&price](const std::string& key) { return price.at("lookup_key") == key; };
    return (!active || price.at("active") == *active) && (!currency || price.at("currency") == *currency) &&
           (!product || price.at("product") == *product) && (!type || price.at("type") == *type) &&
           (!lookup_keys || std::any_of(lookup_keys->begin(), lookup_keys->end(), is_key)) &&
           recurrence_matches(price, recurrence);
  };
  ListPage page = call.objects(kObject).list(query, filter, kNoun);
  for (Json& price : page.items) {
    price = shown_price(call, std::move(price), query.expand);
  }
  return list_object(std::move(page), kUrl);
}

}  // namespace

void add_price_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/prices/{id}", update);
  routes.add("GET", "/v1/prices/{id}", retrieve);
}

}  // namespace stripe_sim
