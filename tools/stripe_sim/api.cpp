#include "stripe_sim/api.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/form.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kRequestIdCharacters = 14;

std::string decode_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string decoded;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      break;
    }
    bits = (bits << 6) | static_cast<unsigned>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      decoded.push_back(static_cast<char>((bits >> held) & 0xFF));
    }
  }
  return decoded;
}

// Bearer, or Basic with the key as the user's name, as in `curl -u sk_test_...:`.
std::string api_key_of(const HttpRequest& request) {
  const std::string given = request.header("authorization");
  const std::size_t space = given.find(' ');
  std::string scheme = given.substr(0, space);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string key = space == std::string::npos ? std::string() : given.substr(space + 1);
  if (scheme == "basic") {
    key = decode_base64(key);
    key = key.substr(0, key.find(':'));
  } else if (scheme != "bearer") {
    key.clear();
  }
  if (key.empty()) {
    throw missing_key();
  }
  return key;
}

Json decode_parameters(const HttpRequest& request) {
  const std::string type = request.header("content-type");
  if (!request.body.empty() && !type.empty() && !type.starts_with("application/x-www-form-urlencoded")) {
    throw invalid_request(
        "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have "
        "questions, we can help at https://support.stripe.com/.");
  }
  const std::string separator = request.query.empty() || request.body.empty() ? "" : "&";
  return decode_form(request.query + separator + request.body);
}

}  // namespace

Api::Api(Simulator& simulator, ApiFaults& faults) : simulator_(simulator), faults_(faults) {
  add_account_routes(routes_);
  add_customer_routes(routes_);
  add_event_routes(routes_);
  add_webhook_endpoint_routes(routes_);
}

std::string Api::new_request_id() {
  const std::lock_guard lock(simulator_.mutex());
  return simulator_.ids().mint("req_", kRequestIdCharacters);
}

Json Api::call(const HttpRequest& request, const RequestOrigin& origin) {
  const std::string key = api_key_of(request);
  const std::lock_guard lock(simulator_.mutex());
  Account& account = simulator_.account_for_key(key);
  const auto match = routes_.find(request.method, request.path);
  if (!match) {
    throw unrecognized_url(request.method, request.path);
  }
  const Json tree = decode_parameters(request);
  ApiCall call{simulator_, account, Params(tree), match->arguments, origin};
  return (*match->handler)(call);
}

Answer Api::handle(const HttpRequest& request) {
  const RequestOrigin origin{new_request_id(), request.header("idempotency-key")};
  const auto fault = faults_.take(request.method, request.path);
  Answer answer;
  try {
    if (fault && fault->status != 0 && !fault->after) {
      throw fault_error(fault->status);
    }
    if (fault && fault->reset && !fault->after) {
      answer.reset = true;
      return answer;
    }
    answer = json_answer(200, call(request, origin));
    if (fault && fault->status != 0) {
      throw fault_error(fault->status);
    }
  } catch (const StripeError& error) {
    answer = json_answer(error.status(), error.body());
  }
  if (fault) {
    answer.reset = fault->reset;
    answer.delay_ms = fault->delay_ms;
    answer.headers = fault->headers;
  }
  const std::string version = request.header("stripe-version");
  answer.headers.emplace_back("Request-Id", origin.request_id);
  answer.headers.emplace_back("Date", http_date(simulator_.clock().now()));
  answer.headers.emplace_back("Stripe-Version", version.empty() ? kApiVersion : version);
  if (!origin.idempotency_key.empty()) {
    answer.headers.emplace_back("Idempotency-Key", origin.idempotency_key);
    answer.headers.emplace_back("Original-Request", origin.request_id);
  }
  return answer;
}

}  // namespace stripe_sim
