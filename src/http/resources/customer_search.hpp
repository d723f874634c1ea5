// POST /v1/customers/search: the list's filter in the body, with FlexPrice's `filters` and `sort`.
#pragma once

#include <string_view>

#include "domain/ports.hpp"

namespace flexsync::http {

// An empty body lists all. Errors: validation_error naming each field that is wrong.
Result<CustomerFilter> read_customer_search(std::string_view body, int depth_max);

}  // namespace flexsync::http
