// What a request to /v1 says: its API key and its parameters.
#pragma once

#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// Bearer, or Basic with the key as the user's name, as in `curl -u sk_test_...:`. Empty when there is none.
std::string api_key_of(const HttpRequest& request);

// Query and form together, as a tree. Throws StripeError.
Json decode_parameters(const HttpRequest& request);

}  // namespace stripe_sim
