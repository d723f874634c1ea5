#include "stripe_sim/resources/price_catalog.hpp"

#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "price";

// Stripe announces the plan first.
void announce(ApiCall& call, const std::string& what, const Json& price, const Json& before) {
  const auto emit = [&](const std::string& type, const Json& object, const Json& old) {
    const Json previous = old.is_null() ? Json() : previous_attributes(old, object);
    if (old.is_null() || !previous.empty()) {
      call.simulator.emit_event(call.account, type, object, previous, call.origin);
    }
  };
  if (is_plan(price)) {
    emit("plan." + what, shown_plan(call, price, {}), before.is_null() ? Json() : shown_plan(call, before, {}));
  }
  emit("price." + what, shown_price(call, price, {}), before.is_null() ? Json() : shown_price(call, before, {}));
}

void expand_product(ApiCall& call, Json& object, const std::set<std::string>& expand) {
  if (expand.contains("product")) {
    object["product"] = *call.objects("product").find(object.at("product").get<std::string>());
  }
}

}  // namespace

bool is_plan(const Json& price) {
  return price.at("type") == "recurring";
}

Json plan_of(const Json& price) {
  const Json& recurring = price.at("recurring");
  Json plan{{"id", price.at("id")},
            {"object", "plan"},
            {"active", price.at("active")},
            {"amount", price.at("unit_amount")},
            {"amount_decimal", price.at("unit_amount_decimal")},
            {"billing_scheme", price.at("billing_scheme")},
            {"created", price.at("created")},
            {"currency", price.at("currency")},
            {"interval", recurring.at("interval")},
            {"interval_count", recurring.at("interval_count")},
            {"livemode", price.at("livemode")},
            {"metadata", price.at("metadata")},
            {"meter", recurring.at("meter")},
            {"nickname", price.at("nickname")},
            {"product", price.at("product")},
            {"tiers_mode", price.at("tiers_mode")},
            {"transform_usage", price.at("transform_quantity")},
            {"trial_period_days", recurring.at("trial_period_days")},
            {"usage_type", recurring.at("usage_type")}};
  if (price.contains("tiers")) {
    plan["tiers"] = price.at("tiers");
  }
  return plan;
}

Json shown_price(ApiCall& call, Json price, const std::set<std::string>& expand) {
  if (!expand.contains("tiers")) {
    price.erase("tiers");
  }
  expand_product(call, price, expand);
  return price;
}

Json shown_plan(ApiCall& call, Json price, const std::set<std::string>& expand) {
  Json plan = plan_of(price);
  if (!expand.contains("tiers")) {
    plan.erase("tiers");
  }
  expand_product(call, plan, expand);
  return plan;
}

void add_price(ApiCall& call, const Json& price) {
  call.objects(kObject).insert(price);
  announce(call, "created", price, nullptr);
}

void change_price(ApiCall& call, const Json& before, const Json& after) {
  if (after == before) {
    return;
  }
  call.objects(kObject).replace(after);
  if (is_plan(after)) {
    refresh_items(call, after);
  }
  announce(call, "updated", after, before);
}

void remove_price(ApiCall& call, const Json& price) {
  const std::string id = price.at("id").get<std::string>();
  const auto product = call.objects("product").find(price.at("product").get<std::string>());
  if (product && product->value("default_price", Json()) == id) {
    throw invalid_request("The plan " + id + " cannot be deleted because it is the default price of its product.", "id")
        .once_executing();
  }
  // Erased rather than buried: a deleted plan is unknown to both routes, and its id may be used again.
  call.objects(kObject).erase(id);
  announce(call, "deleted", price, nullptr);
}

void check_meter(ApiCall& call, const Json& price, const std::string& param) {
  if (price.at("recurring").is_null() || price.at("recurring").at("meter").is_null()) {
    return;
  }
  const std::string id = price.at("recurring").at("meter").get<std::string>();
  if (live_object(call, "billing.meter", "billing meter", id, param).at("status") != "active") {
    throw invalid_request("The meter " + id + " is not active.", param).once_executing();
  }
}

}  // namespace stripe_sim
