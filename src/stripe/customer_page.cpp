#include "stripe/customer_page.hpp"

#include <nlohmann/json.hpp>

namespace flexsync::stripe {

Result<CustomerPage> parse_customer_page(std::string_view text) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("data") || !document["data"].is_array() ||
      !document.contains("has_more") || !document["has_more"].is_boolean()) {
    return fail(ErrorCode::validation_error, "Stripe's list of customers has no data or has_more");
  }
  CustomerPage page;
  page.has_more = document["has_more"].get<bool>();
  for (const auto& object : document["data"]) {
    auto json = object.dump();
    auto state = parse_customer(json);
    if (!state) {
      return tl::unexpected(state.error());
    }
    page.customers.push_back({*std::move(state), std::move(json)});
  }
  return page;
}

}  // namespace flexsync::stripe
