// Intents to tell Stripe of a customer: what goes into one, which wait, what replaces them.
#pragma once

#include <string>
#include <vector>

#include "domain/change_set.hpp"
#include "domain/customer.hpp"
#include "domain/outbox.hpp"

namespace flexsync::sync {

struct IntentOrigin {
  Scope scope;
  CustomerId customer_id;
  Timestamp now;
  std::string request_id;
};

// The whole customer, with the metadata that names it as ours.
Intent creation(const IntentOrigin& origin, const CustomerFields& fields);

// These fields of it, in our terms ("name", "address_city", "metadata.tier"), an address as a whole; a field that is
// empty or gone is cleared.
Intent update(const IntentOrigin& origin, const CustomerFields& fields, const std::vector<std::string>& names);

Intent deletion(const IntentOrigin& origin);

Intent settled(Intent intent, Timestamp now);
Intent superseded(Intent intent, Timestamp now, std::string why);
Intent refused(Intent intent, Timestamp now, std::string code, std::string message);

// It has a new key from now on: Stripe has never heard of that one.
Intent rekeyed(Intent intent, Timestamp now);

const Intent* waiting_creation(const std::vector<Intent>& intents);

// Those of `intents` that `change` says nothing about.
std::vector<Intent> untouched(const std::vector<Intent>& intents, const ChangeSet& change);

}  // namespace flexsync::sync
