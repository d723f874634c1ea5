// /v1/customers: https://docs.stripe.com/api/customers
#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "customer";
constexpr const char* kNoun = "customer";
constexpr const char* kUrl = "/v1/customers";
constexpr std::size_t kIdCharacters = 14;
constexpr std::size_t kInvoicePrefixCharacters = 8;

// All of them are null here, expanded or not.
const Expandable kExpandable = {"default_source", "invoice_settings.default_payment_method", "test_clock"};

bool looks_like_email(const std::string& text) {
  const std::size_t at = text.find('@');
  return at != std::string::npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == std::string::npos &&
         text.find_first_of(" \t\r\n") == std::string::npos;
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

// `address[...]` changes the given lines and leaves the others; `address=` unsets it.
void apply_address(Params& params, Json& object) {
  const auto given = params.hash("address");
  if (!given) {
    return;
  }
  Json& address = object["address"];
  if (given->is_null()) {
    address = nullptr;
    return;
  }
  Params lines(*given, params.name("address"));
  for (const char* line : {"city", "country", "line1", "line2", "postal_code", "state"}) {
    if (const auto value = lines.text(line)) {
      address[line] = or_null(*value);
    } else if (!address.contains(line)) {
      address[line] = nullptr;
    }
  }
  lines.finish();
}

void apply_shipping(Params& params, Json& customer) {
  const auto given = params.hash("shipping");
  if (!given) {
    return;
  }
  Json& shipping = customer["shipping"];
  if (given->is_null()) {
    shipping = nullptr;
    return;
  }
  Params fields(*given, params.name("shipping"));
  const bool is_new = shipping.is_null();
  if (is_new) {
    shipping = {{"address", nullptr},
                {"carrier", nullptr},
                {"name", nullptr},
                {"phone", nullptr},
                {"tracking_number", nullptr}};
  }
  apply_address(fields, shipping);
  if (is_new && shipping["address"].is_null()) {
    throw invalid_request("Missing required param: shipping[address].", "shipping[address]", "parameter_missing");
  }
  if (is_new || given->contains("name")) {
    shipping["name"] = fields.required_text("name");
  }
  for (const char* field : {"carrier", "phone", "tracking_number"}) {
    if (const auto value = fields.text(field)) {
      shipping[field] = or_null(*value);
    }
  }
  fields.finish();
}

void apply_invoice_settings(Params& params, Json& customer) {
  const auto given = params.hash("invoice_settings");
  if (!given || given->is_null()) {
    return;
  }
  Params fields(*given, "invoice_settings");
  fields.refuse({"custom_fields", "default_payment_method", "rendering_options"});
  if (const auto footer = fields.text("footer")) {
    customer["invoice_settings"]["footer"] = or_null(*footer);
  }
  fields.finish();
}

void apply_names(Params& params, Json& customer) {
  for (const char* field : {"description", "name", "phone"}) {
    if (const auto value = params.text(field)) {
      customer[field] = or_null(*value);
    }
  }
  // These two are absent, not null, until they are set.
  for (const char* field : {"business_name", "individual_name"}) {
    if (const auto value = params.text(field)) {
      if (value->empty()) {
        customer.erase(field);
      } else {
        customer[field] = *value;
      }
    }
  }
  if (const auto email = params.text("email")) {
    if (!email->empty() && !looks_like_email(*email)) {
      throw invalid_request("Invalid email address: " + *email, "email", "email_invalid");
    }
    customer["email"] = or_null(*email);
  }
}

// Every parameter that create and update share.
void apply(Params& params, Json& customer) {
  params.refuse({"cash_balance", "default_source", "payment_method", "source", "tax", "tax_id_data", "test_clock"});
  read_expand(params, kExpandable);
  params.ignore("validate");
  apply_names(params, customer);
  apply_address(params, customer);
  apply_shipping(params, customer);
  apply_invoice_settings(params, customer);
  apply_metadata(params, customer);
  if (const auto balance = params.integer("balance")) {
    customer["balance"] = *balance;
  }
  if (const auto prefix = params.text("invoice_prefix")) {
    customer["invoice_prefix"] = *prefix;
  }
  if (const auto sequence = params.integer("next_invoice_sequence")) {
    customer["next_invoice_sequence"] = *sequence;
  }
  if (const auto locales = params.list("preferred_locales")) {
    customer["preferred_locales"] = *locales;
  }
  if (const auto exempt = params.one_of("tax_exempt", {"exempt", "none", "reverse"})) {
    customer["tax_exempt"] = exempt->empty() ? "none" : *exempt;
  }
  params.finish();
}

Json create(ApiCall& call) {
  Json customer = default_customer(call.simulator, call.account);
  apply(call.params, customer);
  call.objects(kObject).insert(customer);
  call.simulator.emit_event(call.account, "customer.created", customer, nullptr, call.origin);
  return customer;
}

Json update(ApiCall& call) {
  const Json before = live_object(call, kObject, kNoun, call.id());
  Json customer = before;
  apply(call.params, customer);
  const Json previous = previous_attributes(before, customer);
  if (!previous.empty()) {
    call.objects(kObject).replace(customer);
    call.simulator.emit_event(call.account, "customer.updated", customer, previous, call.origin);
  }
  return customer;
}

Json retrieve(ApiCall& call) {
  read_expand(call.params, kExpandable);
  call.params.finish();
  auto customer = call.objects(kObject).find(call.id());
  if (!customer) {
    throw no_such(kNoun, call.id());
  }
  return *customer;
}

Json remove(ApiCall& call) {
  call.params.finish();
  const Json customer = live_object(call, kObject, kNoun, call.id());
  cancel_subscriptions_of(call, call.id());
  call.objects(kObject).bury(call.id(), kObject);
  call.simulator.emit_event(call.account, "customer.deleted", customer, nullptr, call.origin);
  return *call.objects(kObject).find(call.id());
}

Json list(ApiCall& call) {
  const ListQuery query = read_list_query(call.params, kExpandable);
  const auto email = call.params.text("email");
  call.params.finish();
  const auto filter = [&email](const Json& customer) { return !email || customer.at("email") == *email; };
  return list_object(call.objects(kObject).list(query, filter, kNoun), kUrl);
}

}  // namespace

Json default_customer(Simulator& simulator, const Account& account) {
  const std::string id = simulator.ids().mint("cus_", kIdCharacters);
  const std::string prefix =
      random_text(simulator.ids().seed(), "invoice prefix " + id, kInvoicePrefixCharacters, true);
  return {{"id", id},
          {"object", kObject},
          {"address", nullptr},
          {"balance", 0},
          {"created", simulator.clock().now()},
          {"currency", nullptr},
          {"default_source", nullptr},
          {"delinquent", false},
          {"description", nullptr},
          {"discount", nullptr},
          {"email", nullptr},
          {"invoice_prefix", prefix},
          {"invoice_settings",
           {{"custom_fields", nullptr},
            {"default_payment_method", nullptr},
            {"footer", nullptr},
            {"rendering_options", nullptr}}},
          {"livemode", account.livemode},
          {"metadata", Json::object()},
          {"name", nullptr},
          {"next_invoice_sequence", 1},
          {"phone", nullptr},
          {"preferred_locales", Json::array()},
          {"shipping", nullptr},
          {"tax_exempt", "none"},
          {"test_clock", nullptr}};
}

void add_customer_routes(ApiRoutes& routes) {
  routes.add("POST", "/v1/customers", create);
  routes.add("GET", "/v1/customers", list);
  routes.add("POST", "/v1/customers/{id}", update);
  routes.add("GET", "/v1/customers/{id}", retrieve);
  routes.add("DELETE", "/v1/customers/{id}", remove);
}

}  // namespace stripe_sim
