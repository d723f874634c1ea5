// /v1/plans: https://docs.stripe.com/api/plans
#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/price_catalog.hpp"
#include "stripe_sim/resources/price_terms.hpp"
#include "stripe_sim/resources/resources.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kNoun = "plan";
constexpr const char* kUrl = "/v1/plans";
constexpr std::size_t kIdCharacters = 14;
const Expandable kExpandable = {"product", "tiers"};

// The price behind the plan. Throws StripeError when there is none, or none that recurs.
Json plan_price(ApiCall& call) {
  Json price = live_object(call, "price", kNoun, call.id());
  if (!is_plan(price)) {
    throw no_such(kNoun, call.id());
  }
  return price;
}

// Every parameter that create and update share.
void apply(Params& params, Json& price) {
  apply_metadata(params, price);
  if (const auto active = params.boolean("active")) {
    price["active"] = *active;
  }
  if (const auto nickname = params.text("nickname")) {
    price["nickname"] = nickname->empty() ? Json() : Json(*nickname);
  }
}

// As a price, which is what is stored.
Json read_plan(ApiCall& call) {
  Params& params = call.params;
  Json price{{"object", "price"},
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
  apply_amounts(params, price, {"amount", "transform_usage"});
  apply_interval(params, price);
  const auto id = params.text("id");
  if (id && call.objects("price").find_text(*id)) {
    throw invalid_request("Plan already exists.", "id", "resource_already_exists").once_executing();
  }
  price["id"] = id && !id->empty() ? *id : call.simulator.ids().mint("plan_", kIdCharacters);
  return price;
}

// The product's id, or the product to be made with the plan.
Json read_product_of_plan(ApiCall& call) {
  const Json* given = call.params.raw("product");
  if (given == nullptr) {
    throw invalid_request("Missing required param: product.", "product", "parameter_missing");
  }
  if (given->is_object()) {
    Params fields(*given, "product");
    return read_product(call, fields);
  }
  const std::string id = call.params.required_text("product");
  live_object(call, "product", "product", id, "product");
  return id;
}

Json create(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  Json price = read_plan(call);
  call.params.raw("product");
  call.params.finish();
  check_meter(call, price, "meter");
  const Json product = read_product_of_plan(call);
  price["product"] = product.is_object() ? product.at("id") : product;
  if (product.is_object()) {
    add_product(call, product);
  }
  add_price(call, price);
  return shown_plan(call, std::move(price), expand);
}

Json update(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  const Json before = plan_price(call);
  Json price = before;
  apply(call.params, price);
  const auto product = call.params.text("product");
  if (const auto days = call.params.integer("trial_period_days")) {
    price["recurring"]["trial_period_days"] = *days;
  }
  call.params.finish();
  if (product) {
    live_object(call, "product", "product", *product, "product");
    if (*product != price.at("product") && is_subscribed_to(call.account, call.id())) {
      throw invalid_request("The product of a plan cannot be changed once it has been used in a subscription.",
                            "product")
          .once_executing();
    }
    price["product"] = *product;
  }
  change_price(call, before, price);
  return shown_plan(call, std::move(price), expand);
}

Json retrieve(ApiCall& call) {
  const auto expand = read_expand(call.params, kExpandable);
  call.params.finish();
  return shown_plan(call, plan_price(call), expand);
}

Json remove(ApiCall& call) {
  call.params.finish();
  remove_price(call, plan_price(call));
  return {{"id", call.id()}, {"object", "plan"}, {"deleted", true}};
}

Json list(ApiCall& call) {
  const ListQuery query = read_list_query(call.params, kExpandable);
  const auto active = call.params.boolean("active");
  const auto product = call.params.text("product");
  call.params.finish();
  const auto filter = [&](const Json& price) {
    return is_plan(price) && (!active || price.at("active") == *active) &&
           (!product || price.at("product") == *product);
  };
  ListPage page = call.objects("price").list(query, filter, kNoun);
  for (Json& price : page.items) {
    price = shown_plan(call, std::move(price), query.expand);
  }
  return list_object(std::move(page), kUrl);
}

}  // namespace

void add_plan_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/plans/{id}", update);
  routes.add("GET", "/v1/plans/{id}", retrieve);
  routes.add("DELETE", "/v1/plans/{id}", remove);
}

}  // namespace stripe_sim
