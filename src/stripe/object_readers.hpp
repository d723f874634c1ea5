// The readers behind parse_…: for an object that is part of a document which has been parsed already (an event's
// data.object, an element of a list). They throw an Error, as all readers of json_object.hpp do.
#pragma once

#include "stripe/customer.hpp"
#include "stripe/json_object.hpp"
#include "stripe/price.hpp"
#include "stripe/product.hpp"
#include "stripe/subscription.hpp"

namespace flexsync::stripe {

CustomerState read_customer(const JsonObject& object);
ProductState read_product(const JsonObject& object);
PriceState read_price(const JsonObject& object);  // a price or a plan
SubscriptionState read_subscription(const JsonObject& object);

}  // namespace flexsync::stripe
