// The way of usage: events in, windows closed, meter events out, and the proof.
#include <algorithm>

#include "app/commands.hpp"
#include "app/demo/patience.hpp"
#include "app/demo/story.hpp"
#include "domain/clock.hpp"

namespace flexsync::app::demo {

namespace {

constexpr std::chrono::hours kAgo{3};  // windows of then are over

std::string some_time(std::chrono::hours ago) {
  return to_rfc3339(std::chrono::floor<std::chrono::hours>(SystemClock().now() - ago) + std::chrono::minutes(20));
}

Json call_of(const std::string& id, const std::string& customer, const std::string& minutes) {
  return {{"event_id", id},
          {"event_name", "call"},
          {"external_customer_id", customer},
          {"timestamp", some_time(kAgo)},
          {"properties", {{"minutes", minutes}}}};
}

}  // namespace

void Story::send_usage(const Json& events) {
  world_.api().post("/v1/events/bulk", {{"events", events}});
}

void Story::show_batches() {
  Table table({{"window"}, {"customer"}, {"minutes", true}, {"sent to Stripe", true}, {"sequence", true}, {"status"}});
  for (const auto& batch : world_.batches("")) {
    table.add({batch.at("window_start").get<std::string>(), batch.at("stripe_customer_id").get<std::string>(),
               batch.at("aggregated_quantity").get<std::string>(), batch.at("sent_value").get<std::string>(),
               std::to_string(batch.at("sequence").get<int>()), batch.at("status").get<std::string>()});
  }
  screen_.table(table);
}

void Story::usage_is_metered() {
  screen_.scene("Usage is metered, and billed through Stripe's meter");
  const auto stripe_meter = world_.stripe().post_form(
      "/v1/billing/meters",
      {{"display_name", "Call minutes"}, {"event_name", "call_minutes"}, {"default_aggregation[formula]", "sum"}});
  const auto meter = world_.api().post("/v1/meters", {{"name", "Call minutes"},
                                                      {"event_name", "call"},
                                                      {"aggregation", {{"type", "SUM"}, {"field", "minutes"}}},
                                                      {"reset_usage", "BILLING_PERIOD"}});
  world_.api().post("/v1/stripe/meters/mapping",
                    {{"meter_id", meter.at("id")},
                     {"provider_type", "stripe"},
                     {"provider_meter_id", stripe_meter.at("id")},
                     {"sync_enabled", true},
                     {"configuration", {{"scale", 1}, {"start_at", some_time(std::chrono::hours(24))}}}});
  screen_.say("Minutes are decimals, Stripe takes whole numbers: at scale 1 it counts tenths of a minute.");
  const Json events = {call_of("call-1", "katherine", "0.1"), call_of("call-2", "katherine", "0.2"),
                       call_of("call-3", "katherine", "12.5"), call_of("call-4", "mary", "7")};
  send_usage(events);
  send_usage(events);
  screen_.flexsync("took four events, all of them twice: each counts once");
  wait_until("the batch to be accepted", [&] { return world_.batches("sent").size() == 1; });
  screen_.flexsync("closed the window and told Stripe's meter; 0.1 + 0.2 is 0.3 here");
  show_batches();
}

void Story::customer_comes_later() {
  screen_.scene("An event came before its customer");
  screen_.say("call-4 named \"mary\", whom nobody knew. It was kept.");
  const auto made = world_.create_customer_here({{"external_id", "mary"}, {"name", "Mary Jackson"}});
  screen_.flexsync("made " + made.at("id").get<std::string>() + ", and counted what had been kept for her");
  wait_until("her batch to be accepted", [&] { return world_.batches("sent").size() == 2; });
  show_batches();
}

void Story::usage_comes_late() {
  screen_.scene("Usage comes late");
  send_usage(Json::array({call_of("call-5", "katherine", "1.25")}));
  screen_.flexsync("took an event of a window that was billed already");
  wait_until("the follow-up to be accepted", [&] { return world_.batches("sent").size() == 3; });
  screen_.flexsync("sent what was missing as a follow-up: 1.25 minutes are 12 tenths, and half a tenth carries over");
  show_batches();
}

bool Story::usage_is_proved() {
  screen_.scene("The audit: what came in is what was billed, and what Stripe has");
  screen_.say("flexsync usage audit adds every event up again, and asks Stripe what it has counted.");
  const auto [text, code] = world_.audit();
  screen_.text(text);
  if (code == kFailed) {
    screen_.bad("The audit found a difference, or failed.");
  } else if (code != kDone) {
    screen_.bad("The audit could not ask Stripe.");
  }
  world_.settle();
  return code == kDone;
}

}  // namespace flexsync::app::demo
