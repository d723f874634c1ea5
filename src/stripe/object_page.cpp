#include "stripe/object_page.hpp"

#include <nlohmann/json.hpp>
#include <variant>

#include "stripe/json_object.hpp"

namespace flexsync::stripe {

namespace {

ListedObject read_listed(const std::string& object_type, const nlohmann::json& object) {
  auto state = parse_object(object_type, object.dump());
  if (!state) {
    throw std::move(state.error());
  }
  return {*std::move(state), JsonObject(object, "object").time("created").value_or(Timestamp{})};
}

}  // namespace

Result<ObjectPage> parse_object_page(const std::string& object_type, std::string_view json) {
  return read_outside(json, "list", [&](const JsonObject& list) {
    list.require_object_type("list");
    ObjectPage page;
    page.has_more = list.flag("has_more", false);
    for (const auto& object : list.objects("data")) {
      page.ids.push_back(object.required_id());
      page.last_id = page.ids.back().str();
      try {
        page.objects.push_back(read_listed(object_type, object.value()));
      } catch (Error& error) {
        error.message = page.last_id + ": " + error.message;
        page.unreadable.push_back(std::move(error));
      }
    }
    if (page.has_more && page.last_id.empty()) {
      list.refuse("data", "is empty, and there is more");
    }
    return page;
  });
}

SubscriptionState* with_more_items(ObjectPage& page) {
  for (auto& listed : page.objects) {
    auto* subscription = std::get_if<SubscriptionState>(&listed.state);
    if (subscription != nullptr && subscription->has_more_items) {
      return subscription;
    }
  }
  return nullptr;
}

}  // namespace flexsync::stripe
