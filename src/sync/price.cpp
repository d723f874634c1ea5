#include "sync/price.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "domain/ulid.hpp"
#include "sync/plan.hpp"

namespace flexsync::sync {

namespace {

constexpr const char* kPriceEntity = "price";

constexpr std::array<std::string_view, 15> kWithoutDecimals = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga",
                                                               "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"};
constexpr std::array<std::string_view, 5> kWithThree = {"bhd", "jod", "kwd", "omr", "tnd"};

// A word of Stripe's that we do not know must not be taken for one that looks harmless.
std::optional<Conflict> unknown_word(const stripe::PriceState& state) {
  const auto refuse = [&](const char* field, const std::string& word) {
    return Conflict{std::string(field) + " '" + word + "' of price " + state.id.str() +
                        " is not known to this version: redrive after an update",
                    "unknown_value"};
  };
  if (!billing_period_of(state.interval)) {
    return refuse("recurring.interval", state.interval);
  }
  if (!state.usage_type.empty() && state.usage_type != "licensed" && state.usage_type != "metered") {
    return refuse("recurring.usage_type", state.usage_type);
  }
  if (!state.billing_scheme.empty() && state.billing_scheme != "per_unit" && state.billing_scheme != "tiered") {
    return refuse("billing_scheme", state.billing_scheme);
  }
  if (!state.tiers_mode.empty() && state.tiers_mode != "graduated" && state.tiers_mode != "volume") {
    return refuse("tiers_mode", state.tiers_mode);
  }
  const auto& transform = state.transform_quantity;
  if (transform && transform->round != "up" && transform->round != "down") {
    return refuse("transform_quantity.round", transform->round);
  }
  return std::nullopt;
}

Price price_of(const Context& context, const PlanId& plan, const stripe::PriceState& state) {
  const int exponent = currency_exponent(state.currency);
  const auto in_main_unit = [&](const std::optional<Decimal>& amount) {
    return amount ? std::optional(amount->times_power_of_ten(-exponent)) : std::nullopt;
  };
  Price price;
  if (context.snapshot.price) {
    price.version = context.snapshot.price->version;
    price.created_at = context.snapshot.price->created_at;
  } else {
    price.created_at = context.origin.now;
  }
  price.updated_at = context.snapshot.price ? context.snapshot.price->updated_at : context.origin.now;
  price.id = state.id;
  price.plan_id = plan;
  price.currency = state.currency;
  price.amount = in_main_unit(state.unit_amount);
  price.billing_period = *billing_period_of(state.interval);
  price.billing_period_count = state.interval_count;
  price.metered = state.usage_type == "metered";
  price.tier_mode = state.tiers_mode.empty() ? "" : state.tiers_mode == "volume" ? "VOLUME" : "SLAB";
  for (const auto& tier : state.tiers) {
    price.tiers.push_back({tier.up_to, in_main_unit(tier.unit_amount), in_main_unit(tier.flat_amount)});
  }
  price.transform_quantity = state.transform_quantity;
  price.display_name = state.nickname;
  price.metadata = open_metadata(state.metadata);
  price.status = state.deleted ? Status::deleted : state.active ? Status::published : Status::archived;
  return price;
}

FieldMap field_map(const Price& price) {
  const auto text = [](const std::optional<Decimal>& number) { return number ? number->str() : std::string(); };
  FieldMap fields{{"plan_id", price.plan_id.str()},
                  {"currency", price.currency},
                  {"amount", text(price.amount)},
                  {"billing_period", to_string(price.billing_period)},
                  {"billing_period_count", std::to_string(price.billing_period_count)},
                  {"type", price.metered ? "USAGE" : "FIXED"},
                  {"tier_mode", price.tier_mode},
                  {"display_name", price.display_name},
                  {"status", to_string(price.status)}};
  for (std::size_t i = 0; i < price.tiers.size(); ++i) {
    const auto& tier = price.tiers[i];
    fields["tiers." + std::to_string(i)] =
        "up_to " + text(tier.up_to) + ", unit " + text(tier.unit_amount) + ", flat " + text(tier.flat_amount);
  }
  if (const auto& transform = price.transform_quantity) {
    fields["transform_quantity"] = "divide by " + std::to_string(transform->divide_by) + ", round " + transform->round;
  }
  for (const auto& [key, value] : price.metadata) {
    fields["metadata." + key] = value;
  }
  return fields;
}

bool write_price(const Context& context, Price price, ChangeSet& change) {
  const auto& before = context.snapshot.price;
  if (before && price == *before) {
    return false;
  }
  const auto was = before ? field_map(*before) : FieldMap{};
  const bool deletes = price.status == Status::deleted && (!before || before->status != Status::deleted);
  audit_write(context.origin, kPriceEntity, price.id.str(), before ? &was : nullptr, field_map(price), deletes, change);
  price.version += 1;
  price.updated_at = context.origin.now;
  change.price = std::move(price);
  return true;
}

// A price may come before its product: the product's id is then led to the same entity, by a shell that is older than
// any event.
void lead_product_here(const Context& context, const stripe::PriceState& state, ChangeSet& change) {
  if (!context.snapshot.product && !state.product.empty()) {
    change.product = shadow_of(context.origin, std::nullopt, {"product", state.product}, {}, {}, false);
    change.product->needs_reconcile = true;
  }
}

// A recurring one; or, where nothing but its id is known, one that a plan is mapped to.
bool is_plan(const Context& context, const stripe::PriceState& state) {
  return context.settings.plan_source == PlanSource::price && (!state.interval.empty() || context.snapshot.plan);
}

PlanId plan_of(const Context& context, const stripe::PriceState& state) {
  if (!is_plan(context, state)) {
    return PlanId{context.origin.entity.id};
  }
  return context.snapshot.plan ? context.snapshot.plan->id : new_id<PlanId>(prefix::kPlan, context.origin.now);
}

PlanSourceState source_of(const stripe::PriceState& state) {
  return {{"price", state.id},
          {state.nickname.empty() ? state.id.str() : state.nickname, {}, open_metadata(state.metadata)},
          state.active ? Status::published : Status::archived};
}

PlanFields known_fields(const Context& context) {
  const auto& shadow = context.snapshot.shadow;
  return shadow && !shadow->state.empty() ? source_of(stripe::price_from_canonical(shadow->state)).fields
                                          : PlanFields{};
}

Taken remember(const Context& context, const PlanId& plan, const stripe::PriceState& state,
               const TrueInterval& true_during, ChangeSet& change) {
  Taken taken;
  taken.conflict = unknown_word(state);
  if (taken.conflict) {
    return taken;
  }
  change.stripe_object = shadow_of(context.origin, context.snapshot.shadow, {"price", state.id},
                                   stripe::to_canonical(state), true_during, state.deleted);
  lead_product_here(context, state, change);
  taken.changed = write_price(context, price_of(context, plan, state), change);
  return taken;
}

}  // namespace

int currency_exponent(const std::string& currency) {
  const auto is_in = [&](const auto& list) { return std::find(list.begin(), list.end(), currency) != list.end(); };
  return is_in(kWithoutDecimals) ? 0 : is_in(kWithThree) ? 3 : 2;
}

std::optional<BillingPeriod> billing_period_of(const std::string& interval) {
  if (interval == "month") {
    return BillingPeriod::monthly;
  }
  if (interval == "year") {
    return BillingPeriod::annual;
  }
  if (interval == "week") {
    return BillingPeriod::weekly;
  }
  if (interval == "day") {
    return BillingPeriod::daily;
  }
  return interval.empty() ? std::optional(BillingPeriod::onetime) : std::nullopt;
}

bool complete_from(const std::optional<StripeObject>& shadow, stripe::PriceState& state) {
  if (state.billing_scheme != "tiered" || !state.tiers.empty()) {
    return true;
  }
  if (shadow && !shadow->state.empty()) {
    state.tiers = stripe::price_from_canonical(shadow->state).tiers;
  }
  return state.deleted || !state.tiers.empty();
}

Taken take(const Context& context, const stripe::PriceState& state, const TrueInterval& true_during,
           ChangeSet& change) {
  const auto plan = plan_of(context, state);
  auto taken = remember(context, plan, state, true_during, change);
  if (!taken.conflict && is_plan(context, state)) {
    taken.changed = take_plan(context, plan, source_of(state), known_fields(context), change) || taken.changed;
  }
  return taken;
}

Taken take_deletion(const Context& context, const stripe::PriceState& last, Timestamp at, ChangeSet& change) {
  auto state = last;
  state.deleted = true;
  complete_from(context.snapshot.shadow, state);
  const auto plan = plan_of(context, state);
  auto taken = remember(context, plan, state, {at, at}, change);
  if (!taken.conflict && is_plan(context, state)) {
    delete_plan(context, plan, source_of(last), known_fields(context), change);
  }
  return taken;
}

Taken take_shell(const Context& context, const stripe::PriceState& bare, ChangeSet& change) {
  change.stripe_object = shadow_of(context.origin, context.snapshot.shadow, {"price", bare.id}, {}, {}, false);
  lead_product_here(context, bare, change);
  Taken taken;
  taken.changed = take_plan(context, new_id<PlanId>(prefix::kPlan, context.origin.now), source_of(bare), {}, change);
  return taken;
}

Taken pass_by(const Context&, const stripe::PriceState&, ChangeSet&) {
  return {};
}

}  // namespace flexsync::sync
