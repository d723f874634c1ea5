#include "stripe/subscription.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "stripe/json_object.hpp"
#include "stripe/object_readers.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

constexpr const char* kKind = "subscription";

struct TimeField {
  const char* key;
  std::optional<Timestamp> SubscriptionState::*member;
};

constexpr std::array kTimes = {
    TimeField{"start_date", &SubscriptionState::start_date},
    TimeField{"ended_at", &SubscriptionState::ended_at},
    TimeField{"current_period_start", &SubscriptionState::current_period_start},
    TimeField{"current_period_end", &SubscriptionState::current_period_end},
    TimeField{"trial_start", &SubscriptionState::trial_start},
    TimeField{"trial_end", &SubscriptionState::trial_end},
    TimeField{"billing_cycle_anchor", &SubscriptionState::billing_cycle_anchor},
    TimeField{"cancel_at", &SubscriptionState::cancel_at},
    TimeField{"canceled_at", &SubscriptionState::canceled_at},
};

// What an item says beyond itself about its subscription.
struct ReadItem {
  SubscriptionItem item;
  std::string currency;
  std::optional<Timestamp> period_start;
  std::optional<Timestamp> period_end;
};

std::optional<std::int64_t> read_quantity(const JsonObject& object) {
  const auto quantity = object.whole("quantity");
  if (quantity && *quantity < 0) {
    object.refuse("quantity", "must not be negative");
  }
  return quantity;
}

// `subscription`: whose item it is, where that is at hand. Its own plan is the item's in payloads older than both.
ReadItem read_item(const JsonObject& object, const JsonObject* subscription) {
  ReadItem read;
  read.item.id = object.required_id();
  read.item.created = object.time("created").value_or(Timestamp{});
  read.item.quantity = read_quantity(object);
  read.period_start = object.time("current_period_start");
  read.period_end = object.time("current_period_end");
  auto price = object.object("price");
  auto terms = price ? price->object("recurring") : std::nullopt;
  if (!price) {
    price = object.object("plan");
    if (!price && subscription != nullptr) {
      price = subscription->object("plan");
      read.item.quantity = read.item.quantity ? read.item.quantity : read_quantity(*subscription);
    }
    if (!price) {
      object.refuse("price", "is missing, and so is the plan");
    }
    terms = price;
  }
  read.item.price = price->required_id();
  read.item.product = price->required_reference("product");
  read.currency = price->text("currency");
  if (terms) {
    read.item.interval = terms->text("interval");
    read.item.interval_count = terms->count("interval_count");
  }
  return read;
}

// An item that is marked `deleted` is none any more.
std::vector<ReadItem> read_items(const JsonObject& list, const JsonObject* subscription) {
  if (!list.has("data")) {
    list.refuse("data", "is missing");
  }
  std::vector<ReadItem> items;
  for (const auto& object : list.objects("data")) {
    if (!object.flag("deleted", false)) {
      items.push_back(read_item(object, subscription));
    }
  }
  return items;
}

// Is it `a` that ends first? Of two that end together the shorter one.
bool ends_before(const ReadItem& a, const ReadItem& b) {
  return std::tuple(!a.period_end, a.period_end, b.period_start) <
         std::tuple(!b.period_end, b.period_end, a.period_start);
}

// The period stands on the items, before 2025-03-31.basil on the subscription: there it is that of the item that ends
// first, so that is what counts in every version. The currency stands on both, in stored payloads from before 2022 on
// the items' prices alone.
void add_items(std::vector<ReadItem> items, SubscriptionState& state) {
  const auto first = std::min_element(items.begin(), items.end(), ends_before);
  if (first != items.end() && first->period_end) {
    state.current_period_start = first->period_start;
    state.current_period_end = first->period_end;
  }
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.item.id < b.item.id; });
  for (auto& read : items) {
    if (state.currency.empty()) {
      state.currency = read.currency;
    }
    state.items.push_back(std::move(read.item));
  }
}

// What is called the same in Stripe's object and in the canonical form.
SubscriptionState read_common(const JsonObject& object) {
  SubscriptionState state;
  state.id = object.required_id();
  state.currency = object.text("currency");
  state.collection_method = object.text("collection_method");
  for (const auto& field : kTimes) {
    state.*(field.member) = object.time(field.key);
  }
  state.cancel_at_period_end = object.flag("cancel_at_period_end", false);
  state.metadata = object.texts("metadata");
  return state;
}

json canonical_item(const SubscriptionItem& item) {
  json form = {{"id", item.id.str()}};
  put(form, "price", item.price);
  put(form, "product", item.product);
  put(form, "interval", item.interval);
  put_count(form, "interval_count", item.interval_count);
  if (item.quantity) {
    form["quantity"] = *item.quantity;
  }
  if (item.created != Timestamp{}) {
    put(form, "created", std::optional(item.created));
  }
  return form;
}

SubscriptionItem stored_item(const JsonObject& form) {
  return {form.required_id(),
          StripeId(form.text("price")),
          StripeId(form.text("product")),
          form.text("interval"),
          form.count("interval_count"),
          form.whole("quantity"),
          form.time("created").value_or(Timestamp{})};
}

}  // namespace

bool is_final_status(std::string_view status) {
  return status == "canceled" || status == "incomplete_expired";
}

void mark_ended(SubscriptionState& state) {
  state.deleted = true;
  if (!is_final_status(state.status)) {
    state.status = "canceled";
  }
}

SubscriptionState read_subscription(const JsonObject& object) {
  object.require_object_type("subscription");
  auto state = read_common(object);
  state.customer = object.required_reference("customer");
  state.status = object.required_text("status");
  state.deleted = is_final_status(state.status);
  state.collection_paused = object.has("pause_collection");
  if (const auto list = object.object("items")) {
    state.has_more_items = list->flag("has_more", false);
    add_items(read_items(*list, &object), state);
  } else {
    state.has_more_items = true;  // it does not say which they are
  }
  return state;
}

Result<SubscriptionState> parse_subscription(std::string_view object_json) {
  return read_outside(object_json, kKind, read_subscription);
}

Result<void> take_items(SubscriptionState& state, std::string_view list_json) {
  auto items = read_outside(list_json, "list of subscription items", [](const JsonObject& list) {
    list.require_object_type("list");
    if (!list.has("has_more") || list.flag("has_more", true)) {
      list.refuse("has_more", "must be false: one page holds all items of a subscription");
    }
    return read_items(list, nullptr);
  });
  if (!items) {
    return tl::unexpected(std::move(items.error()));
  }
  state.items.clear();
  state.has_more_items = false;
  add_items(*std::move(items), state);
  return {};
}

std::string to_canonical(const SubscriptionState& state) {
  json form = {{"id", state.id.str()}};
  put_flag(form, "deleted", state.deleted, false);
  put(form, "customer", state.customer);
  put(form, "status", state.status);
  put(form, "currency", state.currency);
  put(form, "collection_method", state.collection_method);
  for (const auto& item : state.items) {
    form["items"].push_back(canonical_item(item));
  }
  put_flag(form, "has_more_items", state.has_more_items, false);
  for (const auto& field : kTimes) {
    put(form, field.key, state.*(field.member));
  }
  put_flag(form, "cancel_at_period_end", state.cancel_at_period_end, false);
  put_flag(form, "collection_paused", state.collection_paused, false);
  put(form, "metadata", state.metadata);
  return form.dump();
}

SubscriptionState subscription_from_canonical(const std::string& text) {
  return read_stored(text, kKind, [](const JsonObject& form) {
    auto state = read_common(form);
    state.deleted = form.flag("deleted", false);
    state.customer = StripeId(form.text("customer"));
    state.status = form.text("status");
    for (const auto& item : form.objects("items")) {
      state.items.push_back(stored_item(item));
    }
    state.has_more_items = form.flag("has_more_items", false);
    state.collection_paused = form.flag("collection_paused", false);
    return state;
  });
}

}  // namespace flexsync::stripe
