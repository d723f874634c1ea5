#include "stripe/product.hpp"

#include "stripe/json_object.hpp"
#include "stripe/object_readers.hpp"

namespace flexsync::stripe {

namespace {

constexpr const char* kKind = "product";

// The canonical form has the same fields.
ProductState read_fields(const JsonObject& object) {
  ProductState state;
  state.id = object.required_id();
  state.deleted = object.flag("deleted", false);
  state.name = object.text("name");
  state.description = object.text("description");
  state.active = object.flag("active", true);
  state.metadata = object.texts("metadata");
  return state;
}

}  // namespace

ProductState read_product(const JsonObject& object) {
  object.require_object_type("product");
  return read_fields(object);
}

Result<ProductState> parse_product(std::string_view object_json) {
  return read_outside(object_json, kKind, read_product);
}

std::string to_canonical(const ProductState& state) {
  nlohmann::json form = {{"id", state.id.str()}};
  put_flag(form, "deleted", state.deleted, false);
  put(form, "name", state.name);
  put(form, "description", state.description);
  put_flag(form, "active", state.active, true);
  put(form, "metadata", state.metadata);
  return form.dump();
}

ProductState product_from_canonical(const std::string& text) {
  return read_stored(text, kKind, read_fields);
}

}  // namespace flexsync::stripe
