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
  Json body() const;

 private:
  int status_;
  std::string type_;
  std::string message_;
  std::string code_;
  std::string param_;
};

// 400: a parameter is wrong. `code` as in https://docs.stripe.com/error-codes, empty where Stripe sends none.
StripeError invalid_request(std::string message, std::string param = {}, std::string code = {});

// 404: "No such customer: 'cus_x'".
StripeError no_such(const std::string& what, const std::string& id, const std::string& param = "id");

// 401 without a key, and with one that is not accepted.
StripeError missing_key();
StripeError invalid_key(const std::string& key);

// 404: no route has this method and path.
StripeError unrecognized_url(const std::string& method, const std::string& path);

// The error body of a status that was asked for as a fault.
StripeError fault_error(int status);

}  // namespace stripe_sim
