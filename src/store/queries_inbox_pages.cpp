#include "store/queries_inbox_pages.hpp"

#include <algorithm>
#include <array>

#include "store/array.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

// How far times of receipt may be out of the order of arrival, and Stripe's clock from ours.
constexpr std::chrono::minutes kClocksApart{10};
// Stripe lists events for 30 days, so none comes later than that.
constexpr std::chrono::hours kDeliveryDelayMax{24 * 31};

constexpr std::array<std::string_view, 5> kParkedStates = {"parked", "retrying", "blocked", "dead", "redriven"};

bool is_parked(std::string_view state) {
  return std::find(kParkedStates.begin(), kParkedStates.end(), state) != kParkedStates.end();
}

constexpr const char* kPendingFrom = "SELECT coalesce((SELECT seq FROM inbox_watermarks), 0) + 1";

std::optional<std::int64_t> seq_at(pqxx::transaction_base& tx, const std::optional<Timestamp>& moment) {
  if (!moment) {
    return std::nullopt;
  }
  return tx.exec_params1("SELECT inbox_seq_at(" FLEXSYNC_TIME("$1") ")", to_unix_micros(*moment))[0].as<std::int64_t>();
}

template <class Pick>
std::optional<Timestamp> narrower(const std::optional<Timestamp>& a, const std::optional<Timestamp>& b, Pick pick) {
  return a && b ? std::optional<Timestamp>(pick(*a, *b)) : a ? a : b;
}

std::optional<Timestamp> moved(const std::optional<Timestamp>& time, std::chrono::microseconds by) {
  return time ? std::optional<Timestamp>(*time + by) : std::nullopt;
}

}  // namespace

Beginning where_to_begin(pqxx::transaction_base& tx, const WebhookEventFilter& filter) {
  const auto later = [](Timestamp a, Timestamp b) { return std::max(a, b); };
  const auto earlier = [](Timestamp a, Timestamp b) { return std::min(a, b); };
  const auto from = moved(narrower(filter.list.start_time, filter.created_from, later), -kClocksApart);
  const auto to = narrower(moved(filter.list.end_time, kClocksApart),
                           moved(filter.created_to, kDeliveryDelayMax + kClocksApart), earlier);
  Beginning beginning{seq_at(tx, from), seq_at(tx, to), false};
  if (filter.state == "pending") {  // all that arrived before the watermark is settled
    const auto next = tx.exec1(kPendingFrom)[0].as<std::int64_t>();
    beginning.from = std::max(beginning.from.value_or(next), next);
  }
  if (!filter.types.empty() && !filter.state.empty()) {
    WebhookEventFilter all;
    all.types = filter.types;
    const InboxPages pages(all, {});
    beginning.few_of_types = pages.exec(tx, pages.count_sql()).at(0)[0].as<std::int64_t>() <= pages.count_max();
  }
  return beginning;
}

InboxPages::InboxPages(const WebhookEventFilter& filter, const Beginning& beginning) : filter_(filter) {
  const auto number = [&](std::int64_t value) { return values_.bind(std::to_string(value)) + "::bigint"; };
  const auto time = [&](std::string_view condition, const std::optional<Timestamp>& moment) {
    if (moment) {
      times_.append(" AND ").append(condition).append("('epoch'::timestamptz + ");
      times_.append(number(to_unix_micros(*moment))).append(" * interval '1 microsecond')");
    }
  };
  from_ = beginning.from ? number(*beginning.from) : std::string();
  to_ = beginning.to ? number(*beginning.to) : std::string();
  time("i.received_at >= ", filter.list.start_time);
  time("i.received_at < ", filter.list.end_time);
  time("i.stripe_created >= ", filter.created_from);
  time("i.stripe_created < ", filter.created_to);
  sources_ = sources(beginning.few_of_types);
}

std::string InboxPages::seqs_within(std::string_view column) const {
  std::string condition;
  if (!from_.empty()) {
    condition.append(" AND ").append(column).append(" >= ").append(from_);
  }
  if (!to_.empty()) {
    condition.append(" AND ").append(column).append(" < ").append(to_);
  }
  return condition;
}

// OFFSET 0 below keeps a look-up by key one, as in inbox_source.cpp.
std::string InboxPages::outcome_is(std::string_view state) const {
  const std::string row = "SELECT 1 FROM inbox_outcomes AS o WHERE o.seq = i.seq";
  if (state.empty()) {
    return {};
  }
  if (state == "pending") {
    return " AND i.ignored_reason = '' AND NOT EXISTS (" + row + " OFFSET 0)";
  }
  if (state == "ignored") {
    return " AND (i.ignored_reason <> '' AND NOT EXISTS (" + row + " OFFSET 0)" + " OR EXISTS (" + row +
           " AND o.outcome = 'ignored' OFFSET 0))";
  }
  if (is_parked(state)) {
    const std::string only = state == "parked" ? "" : " AND p.state = '" + std::string(state) + "'";
    return " AND EXISTS (SELECT 1 FROM parked_events AS p WHERE p.seq = i.seq" + only + " OFFSET 0)";
  }
  return " AND EXISTS (" + row + " AND o.outcome = '" + std::string(state) + "' OFFSET 0)";
}

std::string InboxPages::with_event(std::string_view from, std::string condition) const {
  const auto asked = times_ + types_;
  if (!asked.empty()) {
    condition += " AND EXISTS (SELECT 1 FROM inbox AS i WHERE i.seq = s.seq" + asked + " OFFSET 0)";
  }
  return std::string("SELECT s.seq FROM ").append(from).append(" AS s WHERE ").append(condition) + seqs_within("s.seq");
}

std::string InboxPages::from_inbox(const std::string& condition) const {
  return "SELECT i.seq FROM inbox AS i WHERE " + condition + times_ + types_ + seqs_within("i.seq");
}

// An object has few events, and few wait or have failed; most are applied, so that there the types say more. Every
// value that is bound here is part of the statement.
std::vector<std::string> InboxPages::sources(bool few_of_types) {
  const std::string_view state = filter_.state;
  const bool by_type =
      filter_.object_id.empty() && !filter_.types.empty() && (few_of_types || state.empty() || state == "applied");
  if (by_type) {
    std::vector<std::string> all;
    for (const auto& type : filter_.types) {
      all.push_back(from_inbox("i.event_type = " + values_.bind(type) + outcome_is(state)));
    }
    return all;
  }
  if (!filter_.types.empty()) {
    types_ = " AND i.event_type = ANY (" + values_.bind(text_array(filter_.types)) + "::text[])";
  }
  if (!filter_.object_id.empty()) {
    return {from_inbox("i.object_id = " + values_.bind(filter_.object_id) + outcome_is(state))};
  }
  return sources_by_state();
}

std::vector<std::string> InboxPages::sources_by_state() const {
  const std::string_view state = filter_.state;
  if (state.empty() || state == "pending" || state == "applied") {  // most are
    return {from_inbox("true" + outcome_is(state))};
  }
  if (is_parked(state)) {
    return {with_event("parked_events", state == "parked" ? "true" : "s.state = '" + std::string(state) + "'")};
  }
  std::vector<std::string> all = {with_event("inbox_outcomes", "s.outcome = '" + std::string(state) + "'")};
  if (state == "ignored") {  // those that intake ignored have no outcome
    all.push_back(from_inbox(
        "i.ignored_reason <> '' AND NOT EXISTS (SELECT 1 FROM inbox_outcomes AS o WHERE o.seq = i.seq OFFSET 0)"));
  }
  return all;
}

// The first seqs of all sources together; each is asked for as many, for all might come from one.
std::string InboxPages::first(std::int64_t rows) const {
  const std::string order = filter_.list.ascending ? " ORDER BY seq ASC" : " ORDER BY seq DESC";
  std::string sql;
  for (const auto& source : sources_) {
    sql.append(sql.empty() ? "(" : " UNION ALL (").append(source).append(order);
    sql.append(" LIMIT ").append(std::to_string(rows)).append(")");
  }
  return "SELECT seq FROM (" + sql + ") AS found" + order;
}

std::string InboxPages::page_sql() const {
  const auto limit = std::clamp(filter_.list.limit, 0, kPageLimitMax);
  const auto offset = std::max(filter_.list.offset, 0);
  return first(std::int64_t{offset} + limit) + " LIMIT " + std::to_string(limit) + " OFFSET " + std::to_string(offset);
}

std::int64_t InboxPages::count_max() const {
  return std::max<std::int64_t>(kCountMax, std::int64_t{filter_.list.offset} + filter_.list.limit);
}

std::string InboxPages::count_sql() const {
  const auto rows = count_max() + 1;
  return "SELECT count(*) FROM (" + first(rows) + " LIMIT " + std::to_string(rows) + ") AS counted";
}

}  // namespace flexsync::store
