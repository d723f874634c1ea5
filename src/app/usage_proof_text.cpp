// How a proof of usage reads: tables for people, JSON for programs.
#include <array>
#include <nlohmann/json.hpp>

#include "app/table.hpp"
#include "app/usage_proof.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

// All of them are always shown, also where there are none. Those returned are in their rollups again.
constexpr std::array kHolding = {BatchStatus::sent,     BatchStatus::pending,   BatchStatus::carried,
                                 BatchStatus::rejected, BatchStatus::ambiguous, BatchStatus::expired};

store::BatchTotals batches_of(const store::UsageTotals& totals, BatchStatus status) {
  const auto found = totals.batches.find(to_string(status));
  return found == totals.batches.end() ? store::BatchTotals{} : found->second;
}

bool is_settled(const UsageProof& proof) {
  return proof.unsettled_count == 0 && proof.totals.due == 0;
}

// The difference in one form, whoever the two sides are.
struct Finding {
  std::string what;
  std::vector<std::pair<std::string, std::string>> keys;
  std::string expected_name;
  std::string found_name;
  std::string expected;
  std::string found;
};

std::vector<std::pair<std::string, std::string>> keys_of(const CustomerId& customer, const MeterId& meter,
                                                         const std::optional<Segment>& segment) {
  std::vector<std::pair<std::string, std::string>> keys{{"customer_id", customer.str()}, {"meter_id", meter.str()}};
  if (segment) {
    keys.emplace_back("from", to_rfc3339(segment->start));
    keys.emplace_back("to", to_rfc3339(segment->end));
  }
  return keys;
}

std::optional<Finding> finding_of(const UsageProof& proof) {
  if (const auto& books = proof.difference) {
    const auto split = books->what.find(" and ");
    return Finding{books->what,
                   keys_of(books->customer_id, books->meter_id, books->segment),
                   books->what.substr(0, split),
                   books->what.substr(split + std::string_view(" and ").size()),
                   books->expected.str(),
                   books->found.str()};
  }
  if (proof.settlement && proof.settlement->first_difference) {
    const auto& stripe = *proof.settlement->first_difference;
    Finding finding{"sent and accepted by Stripe",
                    keys_of(stripe.books.customer_id, stripe.books.meter_id, stripe.hour),
                    "sent",
                    "accepted by Stripe",
                    stripe.books.sent.str(),
                    stripe.accepted.str()};
    finding.keys.emplace_back("stripe_customer_id", stripe.account.customer.str());
    finding.keys.emplace_back("stripe_meter_id", stripe.account.meter.str());
    finding.keys.emplace_back("undecided", stripe.books.undecided.str());
    return finding;
  }
  return std::nullopt;
}

std::string totals_text(const store::UsageTotals& totals) {
  Table table({{"usage"}, {"events", true}, {"batches", true}});
  const auto add = [&](const std::string& name, std::int64_t events) { table.add({name, std::to_string(events)}); };
  add("ingested", totals.ingested);
  add("  of no known customer", totals.unattributed);
  add("  without a meter", totals.unmetered);
  add("counted, once for each meter", totals.counted);
  add("  = batched", totals.batched);
  add("  + not yet due", totals.not_yet_due);
  add("  + due", totals.due);
  add("  + not mapped to Stripe", totals.unmapped);
  add("  + before start_at", totals.before_start);
  store::BatchTotals all;
  for (const auto& [status, held] : totals.batches) {
    all.batches += held.batches;
    all.events += held.events;
  }
  table.add({"batched", std::to_string(all.events), std::to_string(all.batches)});
  for (const auto status : kHolding) {
    const auto held = batches_of(totals, status);
    table.add({(status == kHolding.front() ? "  = " : "  + ") + to_string(status), std::to_string(held.events),
               std::to_string(held.batches)});
  }
  return table.render();
}

std::string settlement_text(const Settlement& settlement) {
  Table table({{"stripe"}, {"value", true}, {"hours", true}});
  const auto hours = settlement.equal + settlement.unsettled + settlement.different;
  table.add({"sent", settlement.sent.str(), std::to_string(hours)});
  table.add({"accepted by Stripe", settlement.accepted.str()});
  table.add({"  equal", "", std::to_string(settlement.equal)});
  table.add({"  not settled yet", "", std::to_string(settlement.unsettled)});
  table.add({"  different", "", std::to_string(settlement.different)});
  return table.render();
}

std::string unsettled_text(const UsageProof& proof) {
  Table table({{"not settled yet"}, {"customer"}, {"meter"}, {"window"}, {"value", true}, {"status"}, {"last error"}});
  for (const auto& batch : proof.unsettled) {
    table.add({batch.id.str(), batch.customer_id.str(), batch.meter_id.str(), to_rfc3339(batch.window.start),
               batch.value.str(), to_string(batch.status), batch.error_code});
  }
  const auto more = proof.unsettled_count - static_cast<std::int64_t>(proof.unsettled.size());
  return table.render() + (more > 0 ? "and " + std::to_string(more) + " more\n" : "");
}

std::string verdict(const UsageProof& proof) {
  std::string text = proof.settlement ? "equal: what was ingested, counted, batched, sent and accepted by Stripe"
                                      : "equal: what was ingested, counted and batched (Stripe was not asked)";
  if (proof.totals.frozen > 0) {
    text += "; " + std::to_string(proof.totals.frozen) +
            " rollups were counted before their meter changed and not added up again";
  }
  return text + (is_settled(proof) ? "\n" : "; not all is settled yet\n");
}

Json unsettled_json(const std::vector<UsageBatch>& batches) {
  auto items = Json::array();
  for (const auto& batch : batches) {
    items.push_back({{"id", batch.id.str()},
                     {"customer_id", batch.customer_id.str()},
                     {"meter_id", batch.meter_id.str()},
                     {"window_start", to_rfc3339(batch.window.start)},
                     {"window_end", to_rfc3339(batch.window.end)},
                     {"value", batch.value.str()},
                     {"status", to_string(batch.status)},
                     {"error_code", batch.error_code}});
  }
  return items;
}

Json totals_json(const store::UsageTotals& totals) {
  Json batches = Json::object();
  for (const auto status : kHolding) {
    const auto held = batches_of(totals, status);
    batches[to_string(status)] = {{"batches", held.batches}, {"events", held.events}};
  }
  return {{"ingested", totals.ingested},
          {"unattributed", totals.unattributed},
          {"unmetered", totals.unmetered},
          {"counted", totals.counted},
          {"batched", totals.batched},
          {"not_yet_due", totals.not_yet_due},
          {"due", totals.due},
          {"unmapped", totals.unmapped},
          {"before_start", totals.before_start},
          {"frozen_rollups", totals.frozen},
          {"batches", std::move(batches)}};
}

}  // namespace

std::string to_text(const UsageProof& proof) {
  auto text = totals_text(proof.totals);
  if (proof.settlement) {
    text += "\n" + settlement_text(*proof.settlement);
  }
  if (proof.not_asked) {
    text += "not all could be asked: " + printable(proof.not_asked->message) + "\n";
  }
  if (!proof.unsettled.empty()) {
    text += "\n" + unsettled_text(proof);
  }
  const auto finding = finding_of(proof);
  if (!finding) {
    return text + "\n" + verdict(proof);
  }
  Table block({{"DIFFERENCE"}, {finding->what}});
  for (const auto& [name, value] : finding->keys) {
    block.add({name, value});
  }
  const auto events = [&](std::int64_t count) {
    return proof.difference && proof.difference->segment ? " of " + std::to_string(count) + " events" : std::string();
  };
  block.add(
      {finding->expected_name, finding->expected + events(proof.difference ? proof.difference->expected_count : 0)});
  block.add({finding->found_name, finding->found + events(proof.difference ? proof.difference->found_count : 0)});
  return text + "\n" + block.render();
}

Json to_json(const UsageProof& proof) {
  Json json{{"equal", proof.equal()},
            {"settled", is_settled(proof)},
            {"totals", totals_json(proof.totals)},
            {"unsettled", {{"total", proof.unsettled_count}, {"items", unsettled_json(proof.unsettled)}}}};
  if (const auto& stripe = proof.settlement) {
    json["stripe"] = {{"accounts", stripe->accounts},         {"hours_equal", stripe->equal},
                      {"hours_unsettled", stripe->unsettled}, {"hours_different", stripe->different},
                      {"sent", stripe->sent.str()},           {"accepted", stripe->accepted.str()}};
  }
  if (proof.not_asked) {
    json["stripe"]["not_asked"] = proof.not_asked->message;
  }
  if (const auto finding = finding_of(proof)) {
    Json found{{"what", finding->what}, {"expected", finding->expected}, {"found", finding->found}};
    for (const auto& [name, value] : finding->keys) {
      found[name] = value;
    }
    if (proof.difference && proof.difference->segment) {
      found["expected_events"] = proof.difference->expected_count;
      found["found_events"] = proof.difference->found_count;
    }
    json["first_difference"] = std::move(found);
  }
  return json;
}

}  // namespace flexsync::app
