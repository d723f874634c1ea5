#include "stripe_sim/errors.hpp"

#include <algorithm>

namespace stripe_sim {

namespace {

constexpr const char* kInvalidRequest = "invalid_request_error";
constexpr std::size_t kKeyTailShown = 4;

// Stripe shows the key's prefix and its last four characters.
std::string masked(const std::string& key) {
  const std::size_t mode_end = key.find('_', key.find('_') == std::string::npos ? 0 : key.find('_') + 1);
  const std::size_t head = mode_end == std::string::npos ? 0 : mode_end + 1;
  if (key.size() <= head + kKeyTailShown) {
    return key.substr(0, head) + std::string(key.size() - std::min(key.size(), head), '*');
  }
  const std::size_t hidden = key.size() - head - kKeyTailShown;
  return key.substr(0, head) + std::string(hidden, '*') + key.substr(key.size() - kKeyTailShown);
}

}  // namespace

Json StripeError::body() const {
  Json error{{"message", message_}, {"type", type_}};
  if (!code_.empty()) {
    error["code"] = code_;
    error["doc_url"] = "https://stripe.com/docs/error-codes/" + [this] {
      std::string slug = code_;
      std::replace(slug.begin(), slug.end(), '_', '-');
      return slug;
    }();
  }
  if (!param_.empty()) {
    error["param"] = param_;
  }
  return Json{{"error", std::move(error)}};
}

StripeError StripeError::with_header(std::string name, std::string value) const {
  StripeError error = *this;
  error.headers_.emplace_back(std::move(name), std::move(value));
  return error;
}

StripeError StripeError::once_executing() const {
  StripeError error = *this;
  error.kept_ = true;
  return error;
}

StripeError invalid_request(std::string message, std::string param, std::string code) {
  return {400, kInvalidRequest, std::move(message), std::move(code), std::move(param)};
}

StripeError no_such(const std::string& what, const std::string& id, const std::string& param) {
  // A cursor or a reference that does not exist is a bad parameter; the object itself missing is 404.
  const int status = param == "id" ? 404 : 400;
  const StripeError error(status, kInvalidRequest, "No such " + what + ": '" + id + "'", "resource_missing", param);
  return error.once_executing();
}

StripeError missing_key() {
  return {401, kInvalidRequest,
          "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
          "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
          "details, or we can help at https://support.stripe.com/."};
}

StripeError invalid_key(const std::string& key) {
  return {401, kInvalidRequest, "Invalid API Key provided: " + masked(key)};
}

StripeError expired_key(const std::string& key) {
  return {401, kInvalidRequest, "Expired API Key provided: " + masked(key), "api_key_expired"};
}

StripeError rate_limited(const std::string& reason) {
  const StripeError error(429, kInvalidRequest,
                          "Request rate limit exceeded. Learn more about rate limits here "
                          "https://stripe.com/docs/rate-limits.",
                          "rate_limit");
  return error.with_header("Stripe-Rate-Limited-Reason", reason);
}

StripeError lock_timeout() {
  return {429, kInvalidRequest,
          "This object cannot be accessed right now because another API request or Stripe process is currently "
          "accessing it. If you see this error intermittently, retry the request. If you see this error frequently and "
          "are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.",
          "lock_timeout"};
}

StripeError key_in_use(const std::string& idempotency_key) {
  return {409, kInvalidRequest,
          "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
          "twice, and the other request is still going through): " +
              idempotency_key + ". Please try again later.",
          "idempotency_key_in_use"};
}

StripeError unrecognized_url(const std::string& method, const std::string& path) {
  return {404, kInvalidRequest,
          "Unrecognized request URL (" + method + ": " + path +
              "). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an "
              "object, make sure you passed a valid (non-empty) identifier in your code. Please see "
              "https://stripe.com/docs or we can help at https://support.stripe.com/."};
}

StripeError fault_error(int status) {
  if (status == 429) {
    return {status, kInvalidRequest, "Request rate limit exceeded (a fault asked for through /_sim/api/faults).",
            "rate_limit"};
  }
  if (status == 401) {
    return {status, kInvalidRequest, "Invalid API Key provided (a fault asked for through /_sim/api/faults)."};
  }
  if (status == 409) {
    return key_in_use("(a fault asked for through /_sim/api/faults)");
  }
  if (status >= 500) {
    return {status, "api_error", "An unknown error occurred (a fault asked for through /_sim/api/faults)."};
  }
  return {status, kInvalidRequest, "Refused (a fault asked for through /_sim/api/faults)."};
}

}  // namespace stripe_sim
