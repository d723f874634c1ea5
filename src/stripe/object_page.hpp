// A page of Stripe's list of objects of one mirrored type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "domain/time.hpp"
#include "stripe/object_event.hpp"

namespace flexsync::stripe {

struct ListedObject {
  ObjectState state;
  Timestamp created;  // the object itself
};

struct ObjectPage {
  std::vector<ListedObject> objects;
  std::vector<StripeId> ids;      // of all, also those that cannot be read
  std::vector<Error> unreadable;  // of objects that are not as documented: each says why
  std::string last_id;            // where the next page starts; empty in an empty page
  bool has_more = false;
};

// validation_error for what is no list, or a list that does not say how it goes on.
Result<ObjectPage> parse_object_page(const std::string& object_type, std::string_view json);

// A subscription is listed with the first ten of its items. The first of the page that has more; null: all are whole.
SubscriptionState* with_more_items(ObjectPage& page);

}  // namespace flexsync::stripe
