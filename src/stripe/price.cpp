#include "stripe/price.hpp"

#include "stripe/json_object.hpp"
#include "stripe/object_readers.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

constexpr const char* kKind = "price";

// Stripe gives each amount twice: `…_decimal`, exact, as a text, and rounded to a whole number or null. The first may
// be missing in an old payload.
std::optional<Decimal> read_amount(const JsonObject& object, const std::string& key) {
  if (auto exact = object.decimal((key + "_decimal").c_str())) {
    return exact;
  }
  const auto whole = object.whole(key.c_str());
  return whole ? std::optional<Decimal>(*whole) : std::nullopt;
}

std::vector<PriceTier> read_tiers(const JsonObject& object) {
  std::vector<PriceTier> tiers;
  for (const auto& tier : object.objects("tiers")) {
    const auto up_to = tier.whole("up_to");
    tiers.push_back({up_to ? std::optional<Decimal>(*up_to) : std::nullopt, read_amount(tier, "unit_amount"),
                     read_amount(tier, "flat_amount")});
  }
  return tiers;
}

std::optional<QuantityTransform> read_transform(const JsonObject& object, const char* key) {
  const auto form = object.object(key);
  if (!form) {
    return std::nullopt;
  }
  const auto divide_by = form->whole("divide_by");
  if (!divide_by || *divide_by < 1) {
    form->refuse("divide_by", "must be a whole number above 0");
  }
  return QuantityTransform{*divide_by, form->required_text("round")};
}

// What is called the same in a price, a plan and the canonical form.
PriceState read_common(const JsonObject& object) {
  PriceState state;
  state.id = object.required_id();
  state.deleted = object.flag("deleted", false);
  state.active = object.flag("active", true);
  state.currency = object.text("currency");
  state.billing_scheme = object.text("billing_scheme");
  state.tiers_mode = object.text("tiers_mode");
  state.nickname = object.text("nickname");
  state.metadata = object.texts("metadata");
  return state;
}

void read_period(const JsonObject& object, PriceState& state) {
  state.interval = object.text("interval");
  state.interval_count = object.count("interval_count");
  state.usage_type = object.text("usage_type");
}

json canonical_tier(const PriceTier& tier) {
  json form = json::object();
  put(form, "up_to", tier.up_to);
  put(form, "unit_amount", tier.unit_amount);
  put(form, "flat_amount", tier.flat_amount);
  return form;
}

}  // namespace

PriceState read_price(const JsonObject& object) {
  const auto type = object.required_text("object");
  if (type != "price" && type != "plan") {
    object.refuse("object", "must be \"price\" or \"plan\"");
  }
  auto state = read_common(object);
  if (!state.deleted || object.has("product")) {
    state.product = object.required_reference("product");
  }
  state.tiers = read_tiers(object);
  if (type == "plan") {
    state.unit_amount = read_amount(object, "amount");
    state.transform_quantity = read_transform(object, "transform_usage");
    read_period(object, state);
  } else {
    state.unit_amount = read_amount(object, "unit_amount");
    state.transform_quantity = read_transform(object, "transform_quantity");
    if (const auto recurring = object.object("recurring")) {
      read_period(*recurring, state);
    }
  }
  return state;
}

Result<PriceState> parse_price(std::string_view object_json) {
  return read_outside(object_json, kKind, read_price);
}

std::string to_canonical(const PriceState& state) {
  json form = {{"id", state.id.str()}};
  put_flag(form, "deleted", state.deleted, false);
  put(form, "product", state.product);
  put_flag(form, "active", state.active, true);
  put(form, "currency", state.currency);
  put(form, "unit_amount", state.unit_amount);
  put(form, "interval", state.interval);
  put_count(form, "interval_count", state.interval_count);
  put(form, "usage_type", state.usage_type);
  put(form, "billing_scheme", state.billing_scheme);
  put(form, "tiers_mode", state.tiers_mode);
  for (const auto& tier : state.tiers) {
    form["tiers"].push_back(canonical_tier(tier));
  }
  if (const auto& transform = state.transform_quantity) {
    form["transform_quantity"] = {{"divide_by", transform->divide_by}, {"round", transform->round}};
  }
  put(form, "nickname", state.nickname);
  put(form, "metadata", state.metadata);
  return form.dump();
}

PriceState price_from_canonical(const std::string& text) {
  return read_stored(text, kKind, [](const JsonObject& form) {
    auto state = read_common(form);
    state.product = StripeId(form.text("product"));
    state.unit_amount = form.decimal("unit_amount");
    state.transform_quantity = read_transform(form, "transform_quantity");
    read_period(form, state);
    for (const auto& tier : form.objects("tiers")) {
      state.tiers.push_back({tier.decimal("up_to"), tier.decimal("unit_amount"), tier.decimal("flat_amount")});
    }
    return state;
  });
}

}  // namespace flexsync::stripe
