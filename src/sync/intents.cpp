#include "sync/intents.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "domain/ulid.hpp"
#include "stripe/customer.hpp"
#include "stripe/form.hpp"
#include "sync/customer_fields.hpp"

namespace flexsync::sync {

namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

struct Named {
  const char* ours;
  const char* stripes;
};

constexpr std::array kPlain = {Named{"name", "name"}, Named{"email", "email"}, Named{"contact", "phone"}};

constexpr std::array kAddress = {
    Named{"address_line1", "address[line1]"},
    Named{"address_line2", "address[line2]"},
    Named{"address_city", "address[city]"},
    Named{"address_state", "address[state]"},
    Named{"address_postal_code", "address[postal_code]"},
    Named{"address_country", "address[country]"},
};

constexpr std::string_view kAddressPrefix = "address_";

// An empty value clears the field in Stripe.
Form form_of(const CustomerFields& fields, const std::vector<std::string>& names) {
  Form form;
  const auto named = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (const auto& [ours, stripes] : kPlain) {
    if (named(ours)) {
      form.emplace_back(stripes, field_value(fields, ours));
    }
  }
  for (const auto& [ours, stripes] : kAddress) {
    if (named(ours)) {
      form.emplace_back(stripes, field_value(fields, ours));
    }
  }
  for (const auto& name : names) {
    if (name.starts_with(kMetadataPrefix)) {
      form.emplace_back(stripe::bracketed("metadata", name.substr(kMetadataPrefix.size())), field_value(fields, name));
    }
  }
  return form;
}

// Stripe replaces an address as a whole, so a change of one of its fields says all of them.
std::vector<std::string> with_whole_address(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  bool has_address = false;
  for (const auto& name : names) {
    if (!name.starts_with(kAddressPrefix)) {
      all.push_back(name);
    } else if (!std::exchange(has_address, true)) {
      std::transform(kAddress.begin(), kAddress.end(), std::back_inserter(all),
                     [](const auto& named) { return named.ours; });
    }
  }
  return all;
}

Intent intent_of(const IntentOrigin& origin, IntentOperation operation) {
  Intent intent;
  intent.id = new_id<IntentId>(prefix::kIntent, origin.now);
  intent.entity_type = "customer";
  intent.entity_id = origin.customer_id.str();
  intent.operation = operation;
  intent.idempotency_key = new_id_text("flexsync", origin.now);
  intent.next_attempt_at = origin.now;
  intent.request_id = origin.request_id;
  intent.keyed_at = origin.now;
  intent.created_at = origin.now;
  return intent;
}

Intent ended(Intent intent, IntentState state, Timestamp now) {
  intent.state = state;
  intent.settled_at = now;
  return intent;
}

}  // namespace

Intent creation(const IntentOrigin& origin, const CustomerFields& fields) {
  auto intent = intent_of(origin, IntentOperation::create_customer);
  intent.fields = with_whole_address(changed_fields(CustomerFields{}, fields));
  auto form = form_of(fields, intent.fields);
  form.emplace_back(stripe::bracketed("metadata", stripe::kMetadataCustomerId), origin.customer_id.str());
  form.emplace_back(stripe::bracketed("metadata", stripe::kMetadataEnvironment), origin.scope.environment.str());
  intent.body = stripe::encode_form(form);
  return intent;
}

Intent update(const IntentOrigin& origin, const CustomerFields& fields, const std::vector<std::string>& names) {
  auto intent = intent_of(origin, IntentOperation::update_customer);
  intent.fields = with_whole_address(names);
  intent.body = stripe::encode_form(form_of(fields, intent.fields));
  return intent;
}

Intent deletion(const IntentOrigin& origin) {
  return intent_of(origin, IntentOperation::delete_customer);
}

Intent settled(Intent intent, Timestamp now) {
  intent.error_code.clear();
  intent.error_message.clear();
  return ended(std::move(intent), IntentState::settled, now);
}

Intent superseded(Intent intent, Timestamp now, std::string why) {
  intent.error_message = std::move(why);
  return ended(std::move(intent), IntentState::superseded, now);
}

Intent refused(Intent intent, Timestamp now, std::string code, std::string message) {
  intent.error_code = std::move(code);
  intent.error_message = std::move(message);
  return ended(std::move(intent), IntentState::refused, now);
}

Intent rekeyed(Intent intent, Timestamp now) {
  intent.idempotency_key = new_id_text("flexsync", now);
  intent.keyed_at = now;
  intent.look_first = false;
  intent.next_attempt_at = now;
  return intent;
}

const Intent* waiting_creation(const std::vector<Intent>& intents) {
  const auto found = std::find_if(intents.begin(), intents.end(), [](const auto& intent) {
    return intent.operation == IntentOperation::create_customer;
  });
  return found == intents.end() ? nullptr : &*found;
}

std::vector<Intent> untouched(const std::vector<Intent>& intents, const ChangeSet& change) {
  std::vector<Intent> rest;
  std::copy_if(intents.begin(), intents.end(), std::back_inserter(rest), [&](const auto& intent) {
    return std::none_of(change.intents.begin(), change.intents.end(),
                        [&](const auto& done) { return done.id == intent.id; });
  });
  return rest;
}

}  // namespace flexsync::sync
