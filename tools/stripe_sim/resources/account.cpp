// GET /v1/account: whose key this is. A connection's test asks for it first.
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

Json retrieve(ApiCall& call) {
  read_expand(call.params, {});
  call.params.finish();
  return {{"id", call.account.id}, {"object", "account"},        {"charges_enabled", true},
          {"country", "US"},       {"default_currency", "usd"},  {"details_submitted", true},
          {"email", nullptr},      {"metadata", Json::object()}, {"payouts_enabled", true},
          {"type", "standard"}};
}

}  // namespace

void add_account_routes(ApiRoutes& routes) {
  routes.add("GET", "/v1/account", retrieve);
}

}  // namespace stripe_sim
