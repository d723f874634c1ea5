// What happens to one object of Stripe's: operations in order, of which only whole seconds show, each with its event
// and what Stripe would answer afterwards. Random, but the same for the same seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "domain/entity.hpp"
#include "stripe/object_event.hpp"

namespace flexsync::test {

struct ObjectOperation {
  std::int64_t second = 0;
  stripe::ObjectEvent event;
  stripe::ObjectState answer;  // to a fetch, from then on
};

struct ObjectHistory {
  EntityKey entity;
  ObjectKey object;
  std::vector<ObjectOperation> operations;
};

// Creation, updates that often fall in one second and often come back to an earlier state, perhaps a deletion.
ObjectHistory product_history(std::mt19937_64& random, int events);
ObjectHistory price_history(std::mt19937_64& random, int events);
// Items are added, taken away, replaced and changed; of the products a, b, c and d, for the customer cus_1.
ObjectHistory subscription_history(std::mt19937_64& random, int events);

std::string describe(const ObjectHistory& history);

}  // namespace flexsync::test
