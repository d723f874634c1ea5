// Both sides, customer by customer and field by field. The rules are written out here once more, on the two APIs' JSON
// alone: what the server's own code believes proves nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flexsync::app::demo {

using Json = nlohmann::json;

struct FieldPair {
  std::string field;     // as Flexsync calls it
  std::string stripe;    // what Stripe says it should be
  std::string flexsync;  // what Flexsync has
  bool equal() const { return stripe == flexsync; }
};

// `customer` is Stripe's object, `ours` FlexPrice's. Metadata is compared key by key, our own keys apart.
std::vector<FieldPair> compare(const Json& customer, const Json& ours);

}  // namespace flexsync::app::demo
