// A page of Stripe's list of customers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "stripe/customer.hpp"

namespace flexsync::stripe {

struct ListedCustomer {
  CustomerState state;
  std::string json;  // the object as it stands in the page
};

struct CustomerPage {
  std::vector<ListedCustomer> customers;
  bool has_more = false;
};

Result<CustomerPage> parse_customer_page(std::string_view json);

}  // namespace flexsync::stripe
