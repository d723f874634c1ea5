#include "app/demo/comparison.hpp"

#include <array>
#include <set>

namespace flexsync::app::demo {

namespace {

constexpr std::array<const char*, 3> kOwnKeys = {"stripe_customer_id", "flexprice_customer_id",
                                                 "flexprice_environment"};

// Null and absent read as "".
std::string text(const Json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A customer without a name shows its e-mail, else its id.
std::string name_of(const Json& customer) {
  for (const char* field : {"name", "email"}) {
    if (auto value = text(customer, field); !value.empty()) {
      return value;
    }
  }
  return text(customer, "id");
}

Json metadata_of(const Json& object) {
  Json metadata = object.value("metadata", Json::object());
  for (const char* own : kOwnKeys) {
    metadata.erase(own);
  }
  return metadata;
}

}  // namespace

std::vector<FieldPair> compare(const Json& customer, const Json& ours) {
  const Json address = customer.at("address").is_object() ? customer.at("address") : Json::object();
  std::vector<FieldPair> pairs = {
      {"name", name_of(customer), text(ours, "name")},
      {"email", text(customer, "email"), text(ours, "email")},
      {"contact", text(customer, "phone"), text(ours, "contact")},
      {"address_line1", text(address, "line1"), text(ours, "address_line1")},
      {"address_line2", text(address, "line2"), text(ours, "address_line2")},
      {"address_city", text(address, "city"), text(ours, "address_city")},
      {"address_state", text(address, "state"), text(ours, "address_state")},
      {"address_postal_code", text(address, "postal_code"), text(ours, "address_postal_code")},
      {"address_country", text(address, "country"), text(ours, "address_country")},
      {"metadata.stripe_customer_id", text(customer, "id"),
       text(ours.value("metadata", Json::object()), "stripe_customer_id")},
  };
  const auto theirs = metadata_of(customer);
  const auto own = metadata_of(ours);
  std::set<std::string> keys;
  for (const auto* side : {&theirs, &own}) {
    for (const auto& [key, value] : side->items()) {
      keys.insert(key);
    }
  }
  for (const auto& key : keys) {
    pairs.push_back({"metadata." + key, text(theirs, key.c_str()), text(own, key.c_str())});
  }
  return pairs;
}

}  // namespace flexsync::app::demo
