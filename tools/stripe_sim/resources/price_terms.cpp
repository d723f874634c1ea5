#include "stripe_sim/resources/price_terms.hpp"

#include <algorithm>
#include <map>

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kDecimalPlacesMax = 12;
constexpr std::size_t kAmountDigitsMax = 12;
constexpr std::int64_t kIntervalYearsMax = 3;
constexpr std::size_t kCurrencyCharacters = 3;

// "12.50" -> "12.5", "012.0" -> "12".
std::string plain_decimal(const std::string& text, const std::string& param) {
  const std::size_t point = text.find('.');
  std::string whole = text.substr(0, point);
  std::string places = point == std::string::npos ? std::string() : text.substr(point + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (whole.empty() || whole.size() > kAmountDigitsMax || places.size() > kDecimalPlacesMax ||
      !std::all_of(whole.begin(), whole.end(), is_digit) || !std::all_of(places.begin(), places.end(), is_digit)) {
    throw invalid_request("Invalid decimal: " + text + "; must be a decimal with at most 12 decimal places.", param,
                          "parameter_invalid_decimal");
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  places.erase(places.find_last_not_of('0') + 1);
  return places.empty() ? whole : whole + "." + places;
}

// "unit_amount" and "unit_amount_decimal" say the same; one of them may be given. They become `field`.
bool apply_amount(Params& params, const std::string& name, const std::string& field, Json& object) {
  const auto whole = params.integer(name);
  const auto decimal = params.text(name + "_decimal");
  object[field] = nullptr;
  object[field + "_decimal"] = nullptr;
  if (whole && decimal) {
    throw invalid_request("You may only specify one of these parameters: " + params.name(name) + ", " +
                              params.name(name + "_decimal") + ".",
                          params.name(name));
  }
  if (whole && *whole < 0) {
    throw invalid_request("This value must be greater than or equal to 0.", params.name(name),
                          "parameter_invalid_integer");
  }
  if (whole) {
    object[field] = *whole;
    object[field + "_decimal"] = std::to_string(*whole);
  }
  if (decimal) {
    const std::string plain = plain_decimal(*decimal, params.name(name + "_decimal"));
    object[field + "_decimal"] = plain;
    object[field] = plain.find('.') == std::string::npos ? Json(std::stoll(plain)) : Json();
  }
  return whole || decimal;
}

Json read_tier(const Json& given, const std::string& where) {
  Params fields(given, where);
  Json tier;
  const bool has_flat = apply_amount(fields, "flat_amount", "flat_amount", tier);
  if (!apply_amount(fields, "unit_amount", "unit_amount", tier) && !has_flat) {
    throw invalid_request("A tier needs a unit_amount or a flat_amount.", where);
  }
  const std::string up_to = fields.required_text("up_to");
  tier["up_to"] = up_to == "inf" ? Json() : Json(*fields.integer("up_to"));
  fields.finish();
  return tier;
}

// In the order of their index; only the last one is without a bound.
void apply_tiers(const Json& given, Json& price) {
  std::map<std::int64_t, Json> by_index;
  for (const auto& [index, tier] : given.items()) {
    if (!tier.is_object() || index.find_first_not_of("0123456789") != std::string::npos || index.size() > 4) {
      throw invalid_request("Invalid array", "tiers");
    }
    by_index[std::stoll(index)] = read_tier(tier, "tiers[" + index + "]");
  }
  Json tiers = Json::array();
  std::int64_t reached = 0;
  for (auto& [index, tier] : by_index) {
    const Json up_to = tier.at("up_to");
    const bool is_last = tiers.size() + 1 == by_index.size();
    if (up_to.is_null() != is_last || (!is_last && up_to.get<std::int64_t>() <= reached)) {
      throw invalid_request("Invalid tiers: up_to must grow from tier to tier and be 'inf' in the last.", "tiers");
    }
    reached = is_last ? reached : up_to.get<std::int64_t>();
    tiers.push_back(std::move(tier));
  }
  price["tiers"] = std::move(tiers);
}

void apply_transform(Params& params, const std::string& name, Json& price) {
  const auto given = params.hash(name);
  if (!given || given->is_null()) {
    return;
  }
  Params fields(*given, name);
  fields.required_text("divide_by");
  fields.required_text("round");
  price["transform_quantity"] = {{"divide_by", *fields.integer("divide_by")},
                                 {"round", *fields.one_of("round", {"down", "up"})}};
  fields.finish();
}

void check_interval(const std::string& interval, std::int64_t count, const std::string& param) {
  const std::int64_t most = interval == "day"    ? kIntervalYearsMax * 365
                            : interval == "week" ? kIntervalYearsMax * 52
                            : interval == "year" ? kIntervalYearsMax
                                                 : kIntervalYearsMax * 12;
  if (count < 1 || count > most) {
    throw invalid_request("Invalid " + param + ": an interval lasts at least one day and at most three years.", param);
  }
}

}  // namespace

std::string read_currency(Params& params) {
  std::string currency = params.required_text("currency");
  std::transform(currency.begin(), currency.end(), currency.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (currency.size() != kCurrencyCharacters || !std::all_of(currency.begin(), currency.end(), is_letter)) {
    throw invalid_request("Invalid currency: " + currency + ".", "currency");
  }
  return currency;
}

void apply_amounts(Params& params, Json& price, const TermNames& names) {
  const std::string scheme = params.one_of("billing_scheme", {"per_unit", "tiered"}).value_or("per_unit");
  const auto mode = params.one_of("tiers_mode", {"graduated", "volume"});
  const auto tiers = params.hash("tiers");
  const bool has_amount = apply_amount(params, names.amount, "unit_amount", price);
  apply_transform(params, names.transform, price);
  price["billing_scheme"] = scheme;
  if (scheme == "tiered") {
    if (!tiers || tiers->is_null() || !mode) {
      throw invalid_request("Missing required param: " + std::string(mode ? "tiers" : "tiers_mode") + ".",
                            mode ? "tiers" : "tiers_mode", "parameter_missing");
    }
    if (has_amount || !price.at("transform_quantity").is_null()) {
      throw invalid_request("Tiers take neither " + names.amount + " nor " + names.transform + ".", "tiers");
    }
    apply_tiers(*tiers, price);
    price["tiers_mode"] = *mode;
    return;
  }
  if (tiers || mode) {
    throw invalid_request("Tiers need billing_scheme=tiered.", tiers ? "tiers" : "tiers_mode");
  }
  if (!has_amount) {
    throw invalid_request("Missing required param: " + names.amount + ".", names.amount, "parameter_missing");
  }
}

void apply_recurrence(Params& params, Json& price) {
  const auto given = params.hash("recurring");
  price["recurring"] = nullptr;
  price["type"] = "one_time";
  if (!given || given->is_null()) {
    return;
  }
  Params fields(*given, "recurring");
  apply_interval(fields, price);
  fields.finish();
}

void apply_interval(Params& fields, Json& price) {
  fields.required_text("interval");
  const std::string interval = *fields.one_of("interval", {"day", "week", "month", "year"});
  const std::int64_t count = fields.integer("interval_count").value_or(1);
  const std::string usage = fields.one_of("usage_type", {"licensed", "metered"}).value_or("licensed");
  const auto meter = fields.text("meter");
  const auto trial_days = fields.integer("trial_period_days");
  check_interval(interval, count, fields.name("interval_count"));
  // Since 2025-03-31.basil a metered price needs a meter.
  const std::string meter_name = fields.name("meter");
  if ((usage == "metered") != meter.has_value()) {
    throw invalid_request(meter
                              ? meter_name + " needs " + fields.name("usage_type") + "=metered."
                              : "Missing required param: " + meter_name + ". Metered prices must be backed by a meter.",
                          meter_name, meter ? "" : "parameter_missing");
  }
  price["recurring"] = {{"interval", interval},
                        {"interval_count", count},
                        {"meter", meter ? Json(*meter) : Json()},
                        {"trial_period_days", trial_days ? Json(*trial_days) : Json()},
                        {"usage_type", usage}};
  price["type"] = "recurring";
}

}  // namespace stripe_sim
