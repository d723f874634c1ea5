// /v1/products: https://docs.stripe.com/api/products
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "product";
constexpr const char* kNoun = "product";
constexpr const char* kUrl = "/v1/products";
constexpr std::size_t kIdCharacters = 14;
constexpr std::size_t kImagesMax = 8;
constexpr std::size_t kMarketingFeaturesMax = 15;
const Expandable kExpandable = {"default_price"};

struct TextField {
  const char* name;
  std::size_t characters_max;
};

constexpr TextField kTextFields[] = {
    {"description", 5000}, {"statement_descriptor", 22}, {"tax_code", 5000}, {"unit_label", 12}, {"url", 5000}};

void apply_texts(Params& params, Json& product) {
  for (const TextField& field : kTextFields) {
    const auto value = params.text(field.name);
    if (!value) {
      continue;
    }
    if (value->size() > field.characters_max) {
      throw invalid_request("Invalid string: must be at most " + std::to_string(field.characters_max) + " characters.",
                            params.name(field.name), "parameter_invalid_string_length");
    }
    product[field.name] = value->empty() ? Json() : Json(*value);
  }
}

void apply_features(Params& params, Json& product) {
  const auto given = params.hash("marketing_features");
  if (!given) {
    return;
  }
  Json features = Json::array();
  for (const auto& [index, feature] : given->items()) {
    Params fields(feature, "marketing_features[" + index + "]");
    features.push_back({{"name", fields.required_text("name")}});
    fields.finish();
  }
  if (features.size() > kMarketingFeaturesMax) {
    throw invalid_request("A product may have at most 15 marketing features.", "marketing_features");
  }
  product["marketing_features"] = std::move(features);
}

// Every parameter that create and update share.
void apply(Params& params, Json& product) {
  params.refuse({"package_dimensions", "tax_details"});
  if (product.at("name").is_null() || params.raw("name") != nullptr) {
    product["name"] = params.required_text("name");
  }
  apply_texts(params, product);
  apply_features(params, product);
  apply_metadata(params, product);
  if (const auto active = params.boolean("active")) {
    product["active"] = *active;
  }
  if (const auto shippable = params.boolean("shippable")) {
    product["shippable"] = *shippable;
  }
  if (const auto images = params.list("images")) {
    if (images->size() > kImagesMax) {
      throw invalid_request("A product may have at most 8 images.", "images");
    }
    product["images"] = *images;
  }
}

Json default_product(ApiCall& call) {
  const std::int64_t now = call.simulator.clock().now();
  return {{"object", kObject},
          {"active", true},
          {"created", now},
          {"default_price", nullptr},
          {"description", nullptr},
          {"images", Json::array()},
          {"livemode", call.account.livemode},
          {"marketing_features", Json::array()},
          {"metadata", Json::object()},
          {"name", nullptr},
          {"package_dimensions", nullptr},
          {"shippable", nullptr},
          {"statement_descriptor", nullptr},
          {"tax_code", nullptr},
          {"tax_details", nullptr},
          {"type", "service"},
          {"unit_label", nullptr},
          {"updated", now},
          {"url", nullptr}};
}

Json expanded(ApiCall& call, Json product, const std::set<std::string>& expand) {
  if (expand.contains("default_price") && product.at("default_price").is_string()) {
    Json price = *call.objects("price").find(product.at("default_price").get<std::string>());
    price.erase("tiers");
    product["default_price"] = std::move(price);
  }
  return product;
}

Json create(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  call.params.refuse({"default_price_data"});
  const Json product = read_product(call, call.params);
  add_product(call, product);
  return expanded(call, product, expand);
}

void apply_default_price(ApiCall& call, const std::string& price_id, Json& product) {
  const Json price = live_object(call, "price", "price", price_id, "default_price");
  if (price.at("product") != product.at("id")) {
    throw invalid_request("The price " + price_id + " belongs to another product.", "default_price").once_executing();
  }
  product["default_price"] = price_id;
}

Json update(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  const Json before = live_object(call, kObject, kNoun, call.id());
  Json product = before;
  apply(call.params, product);
  const auto price_id = call.params.text("default_price");
  call.params.finish();
  if (price_id && price_id->empty()) {
    product["default_price"] = nullptr;
  } else if (price_id) {
    apply_default_price(call, *price_id, product);
  }
  if (product != before) {
    product["updated"] = call.simulator.clock().now();
    call.objects(kObject).replace(product);
    call.simulator.emit_event(call.account, "product.updated", product, previous_attributes(before, product),
                              call.origin);
  }
  return expanded(call, std::move(product), expand);
}

Json retrieve(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  call.params.finish();
  auto product = call.objects(kObject).find(call.id());
  if (!product) {
    throw no_such(kNoun, call.id());
  }
  return call.objects(kObject).is_deleted(call.id()) ? *product : expanded(call, std::move(*product), expand);
}

Json remove(ApiCall& call) {
  call.params.finish();
  const Json product = live_object(call, kObject, kNoun, call.id());
  for (const SharedText& text : call.objects("price").all()) {
    if (Json::parse(*text).at("product") == call.id()) {
      throw invalid_request(
          "This product cannot be deleted because it has one or more user-created prices. You can archive it "
          "instead.",
          "id")
          .once_executing();
    }
  }
  call.objects(kObject).bury(call.id(), kObject);
  call.simulator.emit_event(call.account, "product.deleted", product, nullptr, call.origin);
  return *call.objects(kObject).find(call.id());
}

Json list(ApiCall& call) {
  const ListQuery query = read_list_query(call.params, kExpandable);
  const auto active = call.params.boolean("active");
  const auto shippable = call.params.boolean("shippable");
  const auto url = call.params.text("url");
  const auto ids = call.params.list("ids");
  call.params.finish();
  const auto filter = [&](const Json& product) {
    const auto& id = product.at("id").get_ref<const std::string&>();
    return (!active || product.at("active") == *active) && (!shippable || product.at("shippable") == *shippable) &&
           (!url || product.at("url") == *url) && (!ids || std::find(ids->begin(), ids->end(), id) != ids->end());
  };
  ListPage page = call.objects(kObject).list(query, filter, kNoun);
  for (Json& product : page.items) {
    product = expanded(call, std::move(product), query.expand);
  }
  return list_object(std::move(page), kUrl);
}

}  // namespace

Json read_product(ApiCall& call, Params& params) {
  Json product = default_product(call);
  apply(params, product);
  if (const auto type = params.one_of("type", {"good", "service"})) {
    product["type"] = *type;
  }
  const auto id = params.text("id");
  params.finish();
  if (id && call.objects(kObject).find_text(*id)) {
    throw invalid_request("Product already exists.", params.name("id"), "resource_already_exists").once_executing();
  }
  product["id"] = id && !id->empty() ? *id : call.simulator.ids().mint("prod_", kIdCharacters);
  return product;
}

void add_product(ApiCall& call, const Json& product) {
  call.objects(kObject).insert(product);
  call.simulator.emit_event(call.account, "product.created", product, nullptr, call.origin);
}

void add_product_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/products/{id}", update);
  routes.add("GET", "/v1/products/{id}", retrieve);
  routes.add("DELETE", "/v1/products/{id}", remove);
}

}  // namespace stripe_sim
