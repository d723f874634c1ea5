#include "stripe/call.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "stripe/form.hpp"

namespace flexsync::stripe {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kCollections = {{
    {"customer", "customers"},
    {"product", "products"},
    {"price", "prices"},
    {"plan", "plans"},
    {"subscription", "subscriptions"},
    {"billing.meter", "billing/meters"},
}};

constexpr const char* kPageObjects = "100";  // Stripe's most

std::string collection_of(const std::string& object_type) {
  const auto* const found = std::find_if(kCollections.begin(), kCollections.end(),
                                         [&](const auto& entry) { return entry.first == object_type; });
  if (found == kCollections.end()) {
    throw std::invalid_argument("no Stripe collection is known for \"" + object_type + "\"");
  }
  return std::string(found->second);
}

std::string object_path(const std::string& collection, const StripeId& id) {
  if (id.empty()) {
    throw std::invalid_argument("an empty Stripe id would ask for the list");
  }
  return "/v1/" + collection + "/" + percent_encoded(id.str());
}

std::string with_query(const std::string& path, std::vector<std::pair<std::string, std::string>> parameters,
                       const std::string& starting_after) {
  parameters.emplace_back("limit", kPageObjects);
  if (!starting_after.empty()) {
    parameters.emplace_back("starting_after", starting_after);
  }
  return path + "?" + encode_form(parameters);
}

Call get(std::string path, std::string endpoint) {
  Call call;
  call.path = std::move(path);
  call.endpoint = std::move(endpoint);
  return call;
}

Call post(std::string path, std::string endpoint, std::string body, std::string idempotency_key) {
  Call call = get(std::move(path), std::move(endpoint));
  call.method = "POST";
  call.body = std::move(body);
  call.idempotency_key = std::move(idempotency_key);
  return call;
}

}  // namespace

Call retrieve(const std::string& object_type, const StripeId& id) {
  const auto collection = collection_of(object_type);
  // Tiers are the only part of what we mirror that Stripe leaves out unless it is asked for.
  const std::string query = object_type == "price" ? "?expand%5B%5D=tiers" : "";
  return get(object_path(collection, id) + query, "GET " + collection);
}

Call list_subscription_items(const StripeId& subscription) {
  return get(with_query("/v1/subscription_items", {{"subscription", subscription.str()}}, {}),
             "GET subscription_items");
}

Call create_customer(std::string body, std::string idempotency_key) {
  return post("/v1/customers", "POST customers", std::move(body), std::move(idempotency_key));
}

Call update_customer(const StripeId& id, std::string body, std::string idempotency_key) {
  return post(object_path("customers", id), "POST customers/{id}", std::move(body), std::move(idempotency_key));
}

Call delete_customer(const StripeId& id) {
  auto call = get(object_path("customers", id), "DELETE customers/{id}");
  call.method = "DELETE";
  return call;
}

Call list_customers(Timestamp created_since, const std::string& starting_after) {
  return get(
      with_query("/v1/customers", {{"created[gte]", std::to_string(to_unix_seconds(created_since))}}, starting_after),
      "GET customers");
}

Call list_objects(const std::string& object_type, const std::string& starting_after) {
  const auto collection = collection_of(object_type);
  std::vector<std::pair<std::string, std::string>> parameters;
  if (object_type == "subscription") {
    parameters.emplace_back("status", "all");  // else Stripe leaves out those that were canceled
  } else if (object_type == "price") {
    parameters.emplace_back("expand[]", "data.tiers");
  }
  auto call = get(with_query("/v1/" + collection, std::move(parameters), starting_after), "GET " + collection);
  call.lane = Lane::bulk;
  return call;
}

Call list_events(std::span<const std::string_view> types, Timestamp since, std::optional<Timestamp> before,
                 const std::string& starting_after) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (std::size_t i = 0; i < types.size(); ++i) {
    parameters.emplace_back(bracketed("types", std::to_string(i)), types[i]);
  }
  parameters.emplace_back("created[gte]", std::to_string(to_unix_seconds(since)));
  if (before) {
    parameters.emplace_back("created[lt]", std::to_string(to_unix_seconds(*before)));
  }
  auto call = get(with_query("/v1/events", std::move(parameters), starting_after), "GET events");
  call.lane = Lane::bulk;
  return call;
}

Call create_meter_event(std::string body, std::string identifier) {
  auto call = post("/v1/billing/meter_events", std::string(kMeterEvents), std::move(body), std::move(identifier));
  call.lane = Lane::usage;
  return call;
}

Call meter_summaries(const StripeId& meter, const StripeId& customer, Timestamp from, Timestamp to,
                     const std::string& starting_after) {
  auto call = get(with_query(object_path("billing/meters", meter) + "/event_summaries",
                             {{"customer", customer.str()},
                              {"start_time", std::to_string(to_unix_seconds(from))},
                              {"end_time", std::to_string(to_unix_seconds(to))}},
                             starting_after),
                  "GET billing/meters/{id}/event_summaries");
  call.lane = Lane::bulk;
  return call;
}

}  // namespace flexsync::stripe
