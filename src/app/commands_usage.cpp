// usage status, audit.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/connection_endpoint.hpp"
#include "app/settings.hpp"
#include "app/usage_proof.hpp"
#include "store/usage_audit.hpp"
#include "store/usage_queries.hpp"
#include "telemetry/log.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

struct UsageOptions {
  Scope scope;
  bool no_stripe = false;
};

std::chrono::minutes window_of(const Config& config) {
  return std::chrono::minutes(config.usage.window_minutes);
}

std::chrono::minutes grace_of(const Config& config) {
  return std::chrono::minutes(config.usage.grace_period_minutes);
}

// --- status -------------------------------------------------------------------------------------------------------

Result<void> show_status(StoreSession& session, const Invocation& given, const UsageOptions& options) {
  store::StoreUsageQueries queries(session.pool, session.clock, grace_of(session.config));
  const auto status = queries.usage_status(options.scope);
  if (!status) {
    return tl::unexpected(status.error());
  }
  Table table({{"usage"}, {"count", true}});
  const auto row = [&](const std::string& what, std::int64_t count) { table.add({what, std::to_string(count)}); };
  row("events", status->events);
  row("  of no known customer", status->events_unattributed);
  row("  measured by no meter", status->events_unmetered);
  row("rollups open (window or grace not over)", status->rollups_open);
  row("rollups due (to be batched)", status->rollups_due);
  row("rollups unmapped (over, but not mapped to Stripe)", status->rollups_unmapped);
  for (const auto& [name, count] : status->batches) {
    row("batches " + name, count);
  }
  table.add({"last accepted by Stripe", status->last_synced_at ? to_rfc3339(*status->last_synced_at) : "never"});
  show(given, table,
       {{"events", status->events},
        {"events_unattributed", status->events_unattributed},
        {"events_unmetered", status->events_unmetered},
        {"rollups_open", status->rollups_open},
        {"rollups_due", status->rollups_due},
        {"rollups_unmapped", status->rollups_unmapped},
        {"batches", status->batches},
        {"last_synced_at", status->last_synced_at ? Json(to_rfc3339(*status->last_synced_at)) : Json(nullptr)}});
  return {};
}

// --- audit --------------------------------------------------------------------------------------------------------

Json to_json(const store::UsageTotals& totals) {
  return {{"ingested", totals.ingested}, {"unattributed", totals.unattributed}, {"counted", totals.counted},
          {"batched", totals.batched},   {"not_yet_due", totals.not_yet_due},   {"due", totals.due},
          {"unmapped", totals.unmapped}, {"before_start", totals.before_start}};
}

Json to_json(const AcceptedRow& row) {
  return {{"customer_id", row.customer_id.str()},
          {"meter_id", row.meter_id.str()},
          {"stripe_customer_id", row.stripe_customer_id.str()},
          {"stripe_meter_id", row.stripe_meter_id.str()},
          {"from", to_rfc3339(row.span.start)},
          {"to", to_rfc3339(row.span.end)},
          {"sent", row.sent.str()},
          {"undecided", row.undecided.str()},
          {"accepted", row.accepted.str()}};
}

Json to_json(const store::UsageDifference& difference) {
  Json json{{"what", difference.what},
            {"customer_id", difference.customer_id.str()},
            {"meter_id", difference.meter_id.str()},
            {"expected", difference.expected.str()},
            {"found", difference.found.str()},
            {"expected_count", difference.expected_count},
            {"found_count", difference.found_count}};
  if (difference.segment) {
    json["from"] = to_rfc3339(difference.segment->start);
    json["to"] = to_rfc3339(difference.segment->end);
  }
  return json;
}

Table totals_table(const store::UsageTotals& totals) {
  Table table({{"events"}, {"count", true}});
  const auto row = [&](const std::string& what, std::int64_t count) { table.add({what, std::to_string(count)}); };
  row("ingested", totals.ingested);
  row("  of no known customer", totals.unattributed);
  row("counted, once for each meter", totals.counted);
  row("  = in batches", totals.batched);
  row("  + not yet due", totals.not_yet_due);
  row("  + due now", totals.due);
  row("  + not mapped to Stripe", totals.unmapped);
  row("  + before the mapping's start, never billed", totals.before_start);
  return table;
}

// Every keyword of a difference on a line of its own.
void print_difference(const Json& difference) {
  std::cout << "\nThe first difference:\n";
  for (const auto& [key, value] : difference.items()) {
    std::cout << "  " << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
  }
}

struct Verdict {
  int code = kDone;
  std::string sentence;
  std::optional<Json> difference;
  std::vector<AcceptedRow> rows;
};

Verdict compare(const std::vector<AcceptedRow>& rows) {
  Verdict verdict{kDone, "Stripe has accepted what was sent.", {}, rows};
  for (const auto& row : rows) {
    if (row.is_settled() && !row.is_equal()) {
      auto difference = to_json(row);
      difference["what"] = "sent and accepted by Stripe";
      return {kFailed, "Stripe has not accepted what was sent.", std::move(difference), rows};
    }
    if (!row.is_settled()) {
      verdict.sentence = "Some batches are not settled yet: those rows prove nothing. Ask again later.";
    }
  }
  return verdict;
}

Verdict with_stripe(StoreSession& session, const UsageOptions& options, const store::UsageAuditReport& report) {
  auto rows = rows_to_ask(report.accepted);
  if (rows.empty()) {
    return {kDone, "Nothing was sent to Stripe.", {}, {}};
  }
  const auto endpoint = read_endpoint(session, options.scope);
  if (!endpoint) {
    return {kUnanswered, "Stripe cannot be asked: " + endpoint.error().message, {}, {}};
  }
  const auto transport = stripe::make_curl_transport(transport_config(session.config));
  const auto asked = ask_stripe(*transport, (*endpoint)->secret_key,
                                std::chrono::seconds(session.config.stripe.timeout_seconds), rows);
  if (!asked) {
    return {kUnanswered, asked.error().message, {}, {}};
  }
  return compare(rows);
}

void show_audit(const Invocation& given, const store::UsageAuditReport& report, const Verdict& verdict) {
  auto rows = Json::array();
  Table table({{"customer"}, {"meter"}, {"sent", true}, {"not settled", true}, {"accepted by Stripe", true}});
  for (const auto& row : verdict.rows) {
    rows.push_back(to_json(row));
    table.add({row.customer_id.str(), row.meter_id.str(), row.sent.str(), row.undecided.str(), row.accepted.str()});
  }
  if (given.json) {
    show(given, totals_table(report.totals),
         {{"equal", verdict.code == kDone},
          {"totals", to_json(report.totals)},
          {"difference", verdict.difference.value_or(Json(nullptr))},
          {"stripe", rows},
          {"message", verdict.sentence}});
    return;
  }
  std::cout << totals_table(report.totals).render();
  if (!table.empty()) {
    std::cout << '\n' << table.render();
  }
  if (verdict.difference) {
    print_difference(*verdict.difference);
  }
  std::cout << '\n' << verdict.sentence << std::endl;
}

int audit(StoreSession& session, const Invocation& given, const UsageOptions& options) {
  store::ReadPool pool(ledger_pool_config(session.config, session.database.server_url), session.metrics);
  store::UsageAudit audit(pool, window_of(session.config), grace_of(session.config));
  const auto made = audit.run(options.scope, session.clock.now());
  if (!made) {
    return report(made.error());
  }
  Verdict verdict{kDone, "Every event is counted once, and everything batched is counted.", {}, {}};
  if (made->first_difference) {
    verdict = {kFailed, "The figures differ.", to_json(*made->first_difference), {}};
  } else if (!options.no_stripe) {
    verdict = with_stripe(session, options, *made);
  }
  show_audit(given, *made, verdict);
  return verdict.code;
}

}  // namespace

void add_usage_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "usage", "what was ingested, what is billed");
  const auto options = std::make_shared<UsageOptions>();

  auto& status = add_command(group, given, "status", "how much stands where");
  add_scope_options(status, options->scope);
  on_command(status, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return show_status(session, given, *options); });

  auto& proof =
      add_command(group, given, "audit",
                  "prove it, row by row: ingested = batched + not yet due, and sent = accepted by Stripe; exit "
                  "code 1 at the first difference, 3 when Stripe cannot be asked");
  add_scope_options(proof, options->scope);
  proof.add_flag("--no-stripe", options->no_stripe, "leave out what only Stripe can say");
  proof.callback([&given, options] {
    given.action = [&given, options](const Config& config) {
      log::configure(log::Level::warn, log::parse_format(config.log.format));
      const auto session = StoreSession::open(config, options->no_stripe ? StoreNeeds::reading : StoreNeeds::secrets);
      return session ? audit(**session, given, *options) : report(session.error());
    };
  });
}

}  // namespace flexsync::app
