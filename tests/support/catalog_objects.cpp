#include "support/catalog_objects.hpp"

#include <nlohmann/json.hpp>

#include "support/stripe_model.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;

constexpr std::int64_t kCreated = 1'790'000'000;

json object_of(const stripe::ObjectState& state);

json object_of(const stripe::CustomerState& state) {
  return json::parse(to_object_json(state));
}

// A product or price that is gone is all but forgotten.
json gone(const StripeId& id, const char* type) {
  return {{"id", id.str()}, {"object", type}, {"deleted", true}};
}

json object_of(const stripe::ProductState& state) {
  if (state.deleted && state.name.empty()) {
    return gone(state.id, "product");
  }
  return {{"id", state.id.str()},
          {"object", "product"},
          {"created", kCreated},
          {"name", state.name},
          {"description", state.description},
          {"active", state.active},
          {"metadata", state.metadata}};
}

json recurring(const std::string& interval) {
  return interval.empty() ? json() : json{{"interval", interval}, {"interval_count", 1}, {"usage_type", "licensed"}};
}

json object_of(const stripe::PriceState& state) {
  return {{"id", state.id.str()},
          {"object", "price"},
          {"created", kCreated},
          {"product", state.product.str()},
          {"active", state.active},
          {"currency", state.currency},
          {"unit_amount", 1'000},
          {"unit_amount_decimal", "1000"},
          {"billing_scheme", "per_unit"},
          {"type", state.interval.empty() ? "one_time" : "recurring"},
          {"recurring", recurring(state.interval)},
          {"nickname", state.nickname},
          {"metadata", state.metadata}};
}

json object_of(const stripe::SubscriptionItem& item) {
  return {{"id", item.id.str()},
          {"object", "subscription_item"},
          {"created", to_unix_seconds(item.created)},
          {"quantity", item.quantity.value_or(1)},
          {"current_period_start", kCreated},
          {"current_period_end", kCreated + 2'592'000},
          {"metadata", json::object()},
          {"price",
           {{"id", item.price.str()},
            {"object", "price"},
            {"currency", "chf"},
            {"product", item.product.str()},
            {"recurring", recurring(item.interval)}}}};
}

json list_of(const std::vector<stripe::SubscriptionItem>& items, bool has_more) {
  auto list = json{{"object", "list"}, {"has_more", has_more}, {"data", json::array()}};
  for (const auto& item : items) {
    list["data"].push_back(object_of(item));
  }
  return list;
}

json object_of(const stripe::SubscriptionState& state) {
  return {{"id", state.id.str()},
          {"object", "subscription"},
          {"created", kCreated},
          {"customer", state.customer.str()},
          {"status", state.status},
          {"currency", "chf"},
          {"collection_method", "charge_automatically"},
          {"cancel_at_period_end", state.cancel_at_period_end},
          {"start_date", kCreated},
          {"metadata", state.metadata},
          {"items", list_of(state.items, state.has_more_items)}};
}

json object_of(const stripe::ObjectState& state) {
  return std::visit([](const auto& object) { return object_of(object); }, state);
}

}  // namespace

stripe::ProductState product_state(const std::string& id, const std::string& name) {
  stripe::ProductState state;
  state.id = StripeId(id);
  state.name = name;
  return state;
}

stripe::PriceState price_state(const std::string& id, const std::string& product, const std::string& interval) {
  stripe::PriceState state;
  state.id = StripeId(id);
  state.product = StripeId(product);
  state.currency = "chf";
  state.interval = interval;
  return state;
}

stripe::SubscriptionState subscription_state(const std::string& id, const std::string& customer,
                                             const std::vector<std::string>& products) {
  stripe::SubscriptionState state;
  state.id = StripeId(id);
  state.customer = StripeId(customer);
  state.status = "active";
  for (const auto& product : products) {
    const auto number = std::to_string(state.items.size() + 1);
    state.items.push_back({StripeId("si_" + number), StripeId("price_" + product), StripeId(product), "month", 1, 1,
                           from_unix_seconds(kCreated)});
  }
  return state;
}

std::string to_object_json(const stripe::ObjectState& state) {
  return object_of(state).dump();
}

std::string to_item_list_json(const std::vector<stripe::SubscriptionItem>& items) {
  return list_of(items, false).dump();
}

std::string to_event_json(const stripe::ObjectEvent& event) {
  return json{{"id", event.id.str()},
              {"object", "event"},
              {"request", {{"id", nullptr}, {"idempotency_key", nullptr}}},
              {"api_version", "2026-10-28.endive"},
              {"created", to_unix_seconds(event.created)},
              {"type", event.type},
              {"livemode", false},
              {"data", {{"object", object_of(event.state)}}}}
      .dump();
}

}  // namespace flexsync::test
