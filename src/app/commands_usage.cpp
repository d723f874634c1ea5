// usage status, audit.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/usage_proof.hpp"
#include "store/usage_queries.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

struct UsageOptions {
  Scope scope;
  bool no_stripe = false;
};

std::chrono::minutes grace_of(const Config& config) {
  return std::chrono::minutes(config.usage.grace_period_minutes);
}

Result<void> show_status(StoreSession& session, const Invocation& given, const UsageOptions& options) {
  if (auto exists = require_environment(session, options.scope); !exists) {
    return exists;
  }
  store::StoreUsageQueries queries(session.pool, session.clock, grace_of(session.config));
  const auto status = queries.usage_status(options.scope);
  if (!status) {
    return tl::unexpected(status.error());
  }
  Table table({{"usage"}, {"count", true}});
  Json json{{"batches", Json::object()}};
  const auto add = [&](const std::string& name, const char* key, std::int64_t count) {
    table.add({name, std::to_string(count)});
    json[key] = count;
  };
  add("events", "events", status->events);
  add("  of no known customer", "events_unattributed", status->events_unattributed);
  add("  without a meter", "events_unmetered", status->events_unmetered);
  add("rollups open", "rollups_open", status->rollups_open);
  add("rollups due", "rollups_due", status->rollups_due);
  add("rollups not mapped to Stripe", "rollups_unmapped", status->rollups_unmapped);
  for (const auto& [name, count] : status->batches) {
    table.add({"batches " + name, std::to_string(count)});
    json["batches"][name] = count;
  }
  table.add({"last synced", status->last_synced_at ? to_rfc3339(*status->last_synced_at) : "never"});
  if (status->last_synced_at) {
    json["last_synced_at"] = to_rfc3339(*status->last_synced_at);
  }
  show(given, table, json);
  return {};
}

// The books are read first: where they differ among themselves, Stripe's word would prove nothing.
int audit(StoreSession& session, const Invocation& given, const UsageOptions& options) {
  const auto proof = prove_usage(session, options.scope, !options.no_stripe);
  if (!proof) {
    return report(proof.error());
  }
  if (proof->not_asked && proof->equal()) {
    std::cerr << "flexsync: the books are equal, but Stripe cannot be asked whether it has the same: "
              << printable(proof->not_asked->message) << '\n';
    return kNotAsked;
  }
  auto text = to_text(*proof);
  text.pop_back();  // a sentence ends its line itself
  show(given, text, to_json(*proof));
  return proof->equal() ? kDone : kFailed;
}

}  // namespace

void add_usage_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "usage", "usage on its way to Stripe, and the proof that all of it arrives once");
  const auto options = std::make_shared<UsageOptions>();

  auto& status = add_command(group, given, "status", "how much stands where");
  add_scope_options(status, options->scope);
  on_command(status, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return show_status(session, given, *options); });

  auto& proof = add_command(group, given, "audit",
                            "add everything up again and ask Stripe for the same, up to the first difference; exit "
                            "codes: 0 all is equal, 1 a difference, 3 Stripe could not be asked");
  add_scope_options(proof, options->scope);
  proof.add_flag("--no-stripe", options->no_stripe, "only the books: Stripe is not asked");
  proof.callback([&given, options] {
    given.action = [&given, options](const Config& config) {
      return with_store(config, options->no_stripe ? StoreNeeds::reading : StoreNeeds::secrets,
                        [&](StoreSession& session) { return audit(session, given, *options); });
    };
  });
}

}  // namespace flexsync::app
