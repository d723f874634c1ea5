// A walk over Stripe's objects within anything that is shown.
#pragma once

#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// Calls visitor(kind, object) for each, an object before what is within it, also what the visitor put there. Left out:
// events, whose shape is their own; deleted objects, which are {id, object, deleted} in every version; and metadata,
// in which users keep what they like.
template <class JsonLike, class Visitor>
void visit_objects(JsonLike& shown, const Visitor& visitor) {
  if (shown.is_object() && shown.contains("object") && shown.at("object").is_string()) {
    const std::string kind = shown.at("object").template get<std::string>();
    if (kind == "event") {
      return;
    }
    if (!shown.contains("deleted")) {
      visitor(kind, shown);
    }
  }
  if (!shown.is_structured()) {
    return;
  }
  for (auto child = shown.begin(); child != shown.end(); ++child) {
    if (!shown.is_object() || child.key() != "metadata") {
      visit_objects(*child, visitor);
    }
  }
}

}  // namespace stripe_sim
