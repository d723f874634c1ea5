// /v1/billing/meters/{id}/event_summaries: https://docs.stripe.com/api/billing/meter-event-summary
#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "billing.meter_event_summary";
constexpr const char* kNoun = "billing meter event summary";
constexpr std::size_t kIdCharacters = 24;
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

struct Range {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t window = 0;  // 0: one summary of it all
};

std::int64_t aligned_time(Params& params, const std::string& key, std::int64_t unit, const std::string& unit_name) {
  params.required_text(key);
  const std::int64_t time = *params.integer(key);
  if (time < 0 || time % unit != 0) {
    throw invalid_request("Invalid " + key + ": must be aligned with " + unit_name + " boundaries.", key);
  }
  return time;
}

Range read_range(Params& params) {
  const std::string window = params.one_of("value_grouping_window", {"hour", "day"}).value_or("");
  Range range;
  range.window = window == "hour" ? kHour : window == "day" ? kDay : 0;
  const std::int64_t unit = range.window == 0 ? kMinute : range.window;
  const std::string unit_name = window.empty() ? "minute" : window;
  range.start = aligned_time(params, "start_time", unit, unit_name);
  range.end = aligned_time(params, "end_time", unit, unit_name);
  if (range.end <= range.start) {
    throw invalid_request("Invalid end_time: must be after start_time.", "end_time");
  }
  return range;
}

Json list(ApiCall& call) {
  const ListQuery query = read_page_query(call.params);
  const std::string customer = call.params.required_text("customer");
  const Range range = read_range(call.params);
  call.params.finish();
  const Json meter = live_object(call, "billing.meter", "billing meter", call.id());
  if (!call.objects("customer").find_text(customer)) {
    throw no_such("customer", customer, "customer");
  }
  const MeterLedger& ledger = call.account.meter_ledger;
  std::vector<Json> summaries;
  const auto add = [&](std::int64_t start, std::int64_t end) {
    const std::string what = call.id() + " " + customer + " " + std::to_string(start) + " " + std::to_string(end);
    summaries.push_back({{"id", "mtrusg_" + random_text(call.simulator.ids().seed(), "summary " + what, kIdCharacters)},
                         {"object", kObject},
                         {"aggregated_value", ledger.aggregate(call.id(), customer, formula_of(meter), start, end)},
                         {"end_time", end},
                         {"livemode", call.account.livemode},
                         {"meter", call.id()},
                         {"start_time", start}});
  };
  if (range.window == 0) {
    add(range.start, range.end);
  } else {
    for (const std::int64_t start : ledger.used_windows(call.id(), customer, range.start, range.end, range.window)) {
      add(start, start + range.window);
    }
  }
  return list_object(page_of(std::move(summaries), query, kNoun),
                     "/v1/billing/meters/" + call.id() + "/event_summaries");
}

}  // namespace

void add_meter_event_summary_routes(ApiRoutes& routes) {
  routes.add("GET", "/v1/billing/meters/{id}/event_summaries", list);
}

}  // namespace stripe_sim
