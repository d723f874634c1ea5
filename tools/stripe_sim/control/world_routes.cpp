// Control routes about the simulated world: its state, its clock, many customers at once.
#include <algorithm>
#include <limits>

#include "stripe_sim/control/control.hpp"
#include "stripe_sim/errors.hpp"
#include "stripe_sim/form.hpp"
#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kUnixSecondsMax = 253'402'300'799;  // the end of the year 9999
constexpr std::int64_t kBulkCustomersMax = 1'000'000;
constexpr std::int64_t kBulkChunkCustomers = 500;  // made under one hold of the lock, so that others get their turn
constexpr std::size_t kBulkNumberDigits = 6;

// The objects of one kind, joined as text: with 100,000 customers, parsing them only to print them takes seconds.
std::string array_text(const std::vector<SharedText>& objects) {
  std::string text = "[";
  for (const SharedText& object : objects) {
    text += (text.size() == 1 ? "\n" : ",\n") + *object;
  }
  return text + "]";
}

// ?types=customer,event chooses the kinds; without it everything but the events, which outweigh all else.
void state(ControlCall& call) {
  const std::string types = call.query_text("types");
  const std::string only_key = call.query_text("api_key");
  const auto wanted = [&types](const std::string& name) {
    return types.empty() ? name != "event" : ("," + types + ",").find("," + name + ",") != std::string::npos;
  };
  Simulator& simulator = call.simulator;
  const Json webhooks = simulator.dispatcher().state();
  std::string accounts;
  {
    const std::lock_guard lock(simulator.mutex());
    const std::string only = only_key.empty() ? std::string() : simulator.account_for_key(only_key).key;
    for (auto& [key, account] : simulator.accounts()) {
      if (!only.empty() && key != only) {
        continue;
      }
      std::string objects;
      for (const auto& [name, store] : account.objects) {
        if (wanted(name)) {
          objects += (objects.empty() ? "" : ",\n") + Json(name).dump() + ":" + array_text(store.all());
        }
      }
      accounts += std::string(accounts.empty() ? "" : ",") + "{\"id\":\"" + account.id +
                  "\",\"livemode\":" + (account.livemode ? "true" : "false") + ",\"objects\":{" + objects + "}}";
    }
  }
  Answer answer;
  answer.body = "{\"accounts\":[" + accounts + "],\"api_faults_left\":" + std::to_string(call.api_faults.remaining()) +
                ",\"clock\":" + render(simulator.clock().state()) +
                ",\"seed\":" + std::to_string(simulator.ids().seed()) + ",\"webhooks\":" + render(webhooks) + "}\n";
  call.respond(std::move(answer));
}

Json clock_route(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::int64_t advance = fields.integer("advance_seconds", 0, -kUnixSecondsMax, kUnixSecondsMax);
  const std::int64_t freeze_at = fields.integer("freeze_at", -1, 0, kUnixSecondsMax);
  const bool follow = fields.boolean("follow", false);
  fields.finish();
  const std::lock_guard lock(call.simulator.mutex());  // no request sees two times
  if (follow) {
    call.simulator.clock().follow();
  }
  if (freeze_at >= 0) {
    call.simulator.clock().freeze_at(freeze_at);
  }
  call.simulator.clock().advance(advance);
  run_due_subscriptions(call.simulator);
  return call.simulator.clock().state();
}

std::string bulk_number(std::int64_t number) {
  std::string text = std::to_string(number);
  return std::string(kBulkNumberDigits - std::min(kBulkNumberDigits, text.size()), '0') + text;
}

Json bulk_customers(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::int64_t count = fields.integer("count", 1, 1, kBulkCustomersMax);
  const std::string prefix = fields.text("prefix", "bulk");
  const bool with_events = fields.boolean("events", true);
  const std::string api_key = fields.text("api_key", "");
  fields.finish();
  Simulator& simulator = call.simulator;
  std::string first_id;
  std::string last_id;
  for (std::int64_t made = 0; made < count;) {
    const std::lock_guard lock(simulator.mutex());
    Account& account = simulator.account_for_control(api_key);
    const std::int64_t end = std::min(count, made + kBulkChunkCustomers);
    for (; made < end; ++made) {
      Json customer = default_customer(simulator, account);
      const std::string name = prefix + "-" + bulk_number(made + 1);
      customer["name"] = name;
      customer["email"] = name + "@example.com";
      account.objects["customer"].insert(customer);
      if (with_events) {
        simulator.emit_event(account, "customer.created", customer, nullptr, {});
      }
      last_id = customer.at("id").get<std::string>();
      first_id = first_id.empty() ? last_id : first_id;
    }
  }
  return {{"created", count}, {"first_id", first_id}, {"last_id", last_id}};
}

}  // namespace

void add_world_routes(ControlRoutes& routes) {
  routes.add("GET", "/_sim/state", state);
  add_immediate(routes, "GET", "/_sim/clock", [](ControlCall& call) { return call.simulator.clock().state(); });
  add_immediate(routes, "POST", "/_sim/clock", [](ControlCall& call) {
    Json moved = clock_route(call);
    call.simulator.dispatcher().wake();  // what was to wait for this time is due
    return moved;
  });
  add_immediate(routes, "POST", "/_sim/customers/bulk", bulk_customers);
}

}  // namespace stripe_sim
