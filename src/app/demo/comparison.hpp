// Both sides, object by object and field by field. The rules are written out here once more, on the two APIs' JSON
// alone: what the server's own code believes proves nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flexsync::app::demo {

using Json = nlohmann::json;

struct Catalog;

struct FieldPair {
  std::string field;     // as Flexsync calls it
  std::string stripe;    // what Stripe says it should be
  std::string flexsync;  // what Flexsync has
  bool equal() const { return stripe == flexsync; }
};

// `customer` is Stripe's object, `ours` FlexPrice's. Metadata is compared key by key, our own keys apart.
std::vector<FieldPair> compare(const Json& customer, const Json& ours);

// A product and its prices with a plan or an addon (both have the prices).
std::vector<FieldPair> compare_product(const Catalog& catalog, const Json& product, const Json& ours);

// A subscription and its items. "plan" and "addons" say in names what "line_items.…" says in ids.
std::vector<FieldPair> compare_subscription(const Catalog& catalog, const Json& subscription, const Json& ours);

}  // namespace flexsync::app::demo
