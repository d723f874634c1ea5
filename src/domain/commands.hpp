// What the API asks of a customer, and what it is told. Commands go through the customer's actor like webhooks.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "domain/customer.hpp"
#include "domain/error.hpp"
#include "domain/mapping.hpp"
#include "domain/outbox.hpp"
#include "domain/tenancy.hpp"

namespace flexsync {

struct CreateCustomer {
  std::string external_id;
  CustomerFields fields;
};

// What is absent stays; metadata, where given, replaces (FlexPrice's rule).
struct UpdateCustomer {
  std::optional<std::string> external_id;
  std::optional<std::string> name;
  std::optional<std::string> email;
  std::optional<std::string> contact;
  std::optional<std::string> address_line1;
  std::optional<std::string> address_line2;
  std::optional<std::string> address_city;
  std::optional<std::string> address_state;
  std::optional<std::string> address_postal_code;
  std::optional<std::string> address_country;
  std::optional<Metadata> metadata;
};

struct DeleteCustomer {
  bool provider_cleanup = false;  // delete the Stripe customer, too
};

struct SyncCustomerToStripe {};

struct CustomerCommand {
  Scope scope;
  CustomerId customer_id;  // of a creation: the new one
  std::variant<CreateCustomer, UpdateCustomer, DeleteCustomer, SyncCustomerToStripe> action;
  bool push = false;  // the connection's sync_config.customer.outbound, or asked for
  std::optional<std::chrono::milliseconds>
      wait;  // Prefer: wait: answer when Stripe has answered, at most so long after
  Principal by;
};

struct CustomerReply {
  Customer customer;
  std::optional<Mapping> mapping;
  std::optional<Intent> intent;  // of this command, as far as it has come; nothing: there was nothing to push
};

// `reply` is called exactly once, on any thread. Errors: validation_error, not_found, already_exists (external_id),
// invalid_operation (nothing to push to), too_many_requests (admission), service_unavailable.
class CustomerCommands {
 public:
  virtual ~CustomerCommands() = default;
  virtual void execute(CustomerCommand command, std::function<void(Result<CustomerReply>)> reply) = 0;
};

}  // namespace flexsync
