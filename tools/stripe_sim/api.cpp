#include "stripe_sim/api.hpp"

#include <iostream>

#include "stripe_sim/api_request.hpp"
#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/resources.hpp"
#include "stripe_sim/versions/api_versions.hpp"
#include "stripe_sim/versions/embedded.hpp"
#include "stripe_sim/versions/render.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kRequestIdCharacters = 14;
constexpr int kInternalError = 500;
constexpr const char* kUnknownEndpoint = "unrecognized";

Answer error_answer(const StripeError& error) {
  Answer answer = json_answer(error.status(), error.body());
  answer.headers = error.headers();
  return answer;
}

Answer kept_as_answer(const KeptAnswer& kept) {
  return {kept.status, *kept.body, kept.headers, 0, false, {}};
}

}  // namespace

Api::Api(Simulator& simulator, ApiFaults& faults, RateLimits& limits, Traffic& traffic)
    : simulator_(simulator), faults_(faults), limits_(limits), traffic_(traffic) {
  add_account_routes(routes_);
  add_customer_routes(routes_);
  add_event_routes(routes_);
  add_meter_event_routes(routes_);
  add_meter_event_summary_routes(routes_);
  add_meter_routes(routes_);
  add_plan_routes(routes_);
  add_price_routes(routes_);
  add_product_routes(routes_);
  add_subscription_item_routes(routes_);
  add_subscription_pause_routes(routes_);
  add_subscription_routes(routes_);
  add_webhook_endpoint_routes(routes_);
}

Answer Api::handle(const HttpRequest& request) {
  return take(begin(request), &Api::admit);
}

// A step that ends in an error ends the request.
Answer Api::take(const ExchangePtr& exchange, Step step) {
  try {
    return (this->*step)(exchange);
  } catch (const StripeError& error) {
    return finish(exchange, error_answer(error));
  } catch (const std::exception& error) {
    std::cerr << "stripe-sim: " << exchange->request.method << " " << exchange->request.path << ": " << error.what()
              << std::endl;
    return finish(exchange, error_answer({kInternalError, "api_error", error.what()}));
  }
}

// The next step, after the fault's wait.
Answer Api::pause(const ExchangePtr& exchange, Step step) {
  if (exchange->fault->delay_ms == 0) {
    return (this->*step)(exchange);
  }
  Answer answer;
  answer.delay_ms = exchange->fault->delay_ms;
  answer.then = [this, exchange, step] { return take(exchange, step); };
  return answer;
}

Api::ExchangePtr Api::begin(const HttpRequest& request) {
  auto exchange = std::make_shared<Exchange>();
  exchange->request = request;
  exchange->api_key = api_key_of(request);
  exchange->owner = simulator_.owner_of(exchange->api_key);
  exchange->match = routes_.find(request.method, request.path);
  exchange->endpoint = exchange->match ? request.method + " " + *exchange->match->pattern : kUnknownEndpoint;
  exchange->origin.idempotency_key = request.header("idempotency-key");
  exchange->version = request.header("stripe-version");
  {
    const std::lock_guard lock(simulator_.mutex());
    exchange->origin.request_id = simulator_.ids().mint("req_", kRequestIdCharacters);
  }
  const KeyOwner owner = exchange->owner.value_or(KeyOwner{});
  traffic_.begin(owner.account_key, exchange->endpoint);
  exchange->fault = faults_.take(
      {request.method, request.path, exchange->api_key, owner.account_id, exchange->origin.idempotency_key});
  return exchange;
}

void Api::check_key(const Exchange& exchange) const {
  if (exchange.api_key.empty()) {
    throw missing_key();
  }
  if (faults_.is_revoked(exchange.api_key)) {
    throw expired_key(exchange.api_key);
  }
  if (!exchange.owner) {
    throw invalid_key(exchange.api_key);
  }
}

void Api::check_version(const Exchange& exchange) const {
  if (!exchange.version.empty() && !is_api_version(exchange.version)) {
    throw invalid_version(exchange.version);
  }
}

Answer Api::admit(const ExchangePtr& exchange) {
  const auto& fault = exchange->fault;
  if (fault && !fault->after && fault->is_answer()) {
    return pause(exchange, &Api::strike);
  }
  check_key(*exchange);
  const KeyOwner& owner = *exchange->owner;
  if (const auto reason = limits_.enter(owner.account_key, owner.livemode, exchange->endpoint)) {
    throw rate_limited(*reason);
  }
  exchange->is_counted_in = true;
  if (!exchange->match) {
    throw unrecognized_url(exchange->request.method, exchange->request.path);
  }
  check_version(*exchange);
  exchange->parameters = decode_parameters(exchange->request);
  claim_idempotency_key(*exchange);
  return fault && !fault->after ? pause(exchange, &Api::execute) : execute(exchange);
}

// Only POST requests take idempotency keys: the others are idempotent as they are.
void Api::claim_idempotency_key(Exchange& exchange) {
  const std::string& key = exchange.origin.idempotency_key;
  if (key.empty() || exchange.request.method != "POST") {
    return;
  }
  const std::lock_guard lock(simulator_.mutex());
  Account& account = simulator_.account_for_key(exchange.api_key);
  const auto kept =
      account.idempotency_keys.claim(key, exchange.request.path, exchange.parameters, simulator_.clock().now());
  if (!kept) {
    exchange.holds_key = true;
    return;
  }
  exchange.is_replay = true;
  exchange.outcome = kept_as_answer(*kept);
  exchange.outcome->headers.emplace_back("Idempotent-Replayed", "true");
  exchange.outcome->headers.emplace_back("Original-Request", kept->request_id);
}

Answer Api::call(Exchange& exchange) {
  const std::lock_guard lock(simulator_.mutex());
  Account& account = simulator_.account_for_key(exchange.api_key);
  run_due_subscriptions(simulator_);
  try {
    ApiCall call{simulator_, account, Params(exchange.parameters), exchange.match->arguments, exchange.origin};
    exchange.version = exchange.version.empty() ? account.api_version : exchange.version;
    const Json newest = (*exchange.match->handler)(call);
    const Json lists = embeds_lists(exchange.version) ? embedded_lists(account, newest) : Json();
    Answer answer = json_answer(200, at_version(newest, exchange.version, lists));
    exchange.is_kept = true;
    return answer;
  } catch (const StripeError& error) {
    exchange.is_kept = error.is_kept();
    return error_answer(error);
  }
}

Answer Api::execute(const ExchangePtr& exchange) {
  if (!exchange->is_replay) {
    exchange->outcome = call(*exchange);
  }
  const auto& fault = exchange->fault;
  return fault && fault->after ? pause(exchange, &Api::conclude) : conclude(exchange);
}

Answer Api::conclude(const ExchangePtr& exchange) {
  const auto& fault = exchange->fault;
  const bool is_struck = fault && fault->after && fault->is_answer();
  if (is_struck && fault->status == kInternalError && exchange->is_kept) {
    // Stripe itself failed after the effect: this is what the key's later requests get, too. Other statuses come from
    // the edge, behind which the true result is kept.
    exchange->outcome = error_answer(fault->error());
  }
  settle_idempotency_key(*exchange);
  return is_struck ? strike(exchange) : finish(exchange, *exchange->outcome);
}

void Api::settle_idempotency_key(Exchange& exchange) {
  if (!exchange.holds_key) {
    return;
  }
  exchange.holds_key = false;
  const std::lock_guard lock(simulator_.mutex());
  IdempotencyKeys& keys = simulator_.account_for_key(exchange.api_key).idempotency_keys;
  if (exchange.is_kept) {
    const Answer& outcome = *exchange.outcome;
    keys.keep(exchange.origin.idempotency_key, {outcome.status, std::make_shared<const std::string>(outcome.body),
                                                outcome.headers, exchange.origin.request_id});
  } else {
    keys.release(exchange.origin.idempotency_key);
  }
}

Answer Api::strike(const ExchangePtr& exchange) {
  if (exchange->fault->reset) {
    Answer answer;
    answer.reset = true;
    return finish(exchange, std::move(answer));
  }
  throw exchange->fault->error();
}

Answer Api::finish(const ExchangePtr& exchange, Answer answer) {
  const RequestOrigin& origin = exchange->origin;
  const std::string account_key = exchange->owner.value_or(KeyOwner{}).account_key;
  settle_idempotency_key(*exchange);
  if (exchange->is_counted_in) {
    limits_.leave(account_key, exchange->endpoint);
  }
  const std::string outcome = answer.reset ? "reset" : std::to_string(answer.status);
  traffic_.end(account_key, exchange->endpoint, outcome, exchange->is_replay);
  if (exchange->fault) {
    answer.headers.insert(answer.headers.end(), exchange->fault->headers.begin(), exchange->fault->headers.end());
  }
  answer.headers.emplace_back("Request-Id", origin.request_id);
  answer.headers.emplace_back("Date", http_date(simulator_.clock().now()));
  answer.headers.emplace_back("Stripe-Version", is_api_version(exchange->version) ? exchange->version : kApiVersion);
  if (!origin.idempotency_key.empty()) {
    answer.headers.emplace_back("Idempotency-Key", origin.idempotency_key);
    if (!exchange->is_replay) {
      answer.headers.emplace_back("Original-Request", origin.request_id);
    }
  }
  return answer;
}

}  // namespace stripe_sim
