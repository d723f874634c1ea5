// Stripe's errors, as an exception that the API turns into an answer.
#pragma once

#include <exception>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

class StripeError : public std::exception {
 public:
  StripeError(int status, std::string type, std::string message, std::string code = {}, std::string param = {})
      : status_(status),
        type_(std::move(type)),
        message_(std::move(message)),
        code_(std::move(code)),
        param_(std::move(param)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  Json body() const;

  StripeError with_header(std::string name, std::string value) const;

  // Stripe keeps the result of a request under its idempotency key once execution has begun. What a wrong parameter
  // ends before that is not kept; what depends on other objects ("No such customer") is.
  StripeError once_executing() const;
  bool is_kept() const { return kept_; }

 private:
  int status_;
  std::string type_;
  std::string message_;
  std::string code_;
  std::string param_;
  Headers headers_;
  bool kept_ = false;
};

// 400: a parameter is wrong. `code` as in https://docs.stripe.com/error-codes, empty where Stripe sends none.
StripeError invalid_request(std::string message, std::string param = {}, std::string code = {});

// 404: "No such customer: 'cus_x'"; 400 where `param` is another one than the object's own id.
StripeError no_such(const std::string& what, const std::string& id, const std::string& param = "id");

// 401 without a key, with one that is not accepted, and with one that was revoked.
StripeError missing_key();
StripeError invalid_key(const std::string& key);
StripeError expired_key(const std::string& key);

// 429 with the header that tells the kinds apart: global-rate, global-concurrency, endpoint-rate,
// endpoint-concurrency, resource-specific. A lock timeout is a 429 of its own, without that header.
StripeError rate_limited(const std::string& reason);
StripeError lock_timeout();

// 409: the first request with this idempotency key is not answered yet.
StripeError key_in_use(const std::string& idempotency_key);

// 404: no route has this method and path.
StripeError unrecognized_url(const std::string& method, const std::string& path);

// The error body of a status that was asked for as a fault.
StripeError fault_error(int status);

}  // namespace stripe_sim
