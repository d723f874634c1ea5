// Stripe's product as far as it is mirrored, from any API version since 2020.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "domain/error.hpp"
#include "domain/ids.hpp"

namespace flexsync::stripe {

struct ProductState {
  StripeId id;
  bool deleted = false;  // {"id", "object", "deleted": true}, or the last state beside product.deleted
  std::string name;
  std::string description;
  bool active = true;
  std::map<std::string, std::string> metadata;

  friend bool operator==(const ProductState&, const ProductState&) = default;
};

// From `GET /v1/products/{id}` or `data.object`. validation_error names the field and what is wrong with it.
Result<ProductState> parse_product(std::string_view object_json);

// The shadow's canonical form: JSON, keys sorted, only what is mirrored; equal states give equal text.
std::string to_canonical(const ProductState& state);
ProductState product_from_canonical(const std::string& text);  // throws std::runtime_error for anything else

}  // namespace flexsync::stripe
