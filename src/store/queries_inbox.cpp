#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "store/dead_letter_filter.hpp"
#include "store/queries.hpp"
#include "store/queries_inbox_pages.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

// The payload is not among them: a page of a thousand would be megabytes.
constexpr std::string_view kEventColumns =
    "i.event_id, i.event_type, i.object_type, i.object_id, i.api_version, i.request_id, i.ignored_reason,"
    " " FLEXSYNC_MICROS("i.stripe_created") " AS created, " FLEXSYNC_MICROS("i.received_at") " AS received,"
    " CASE WHEN o.outcome = 'parked' THEN coalesce(p.state, 'parked')"
    "      WHEN o.outcome IS NOT NULL THEN o.outcome"
    "      WHEN i.ignored_reason <> '' THEN 'ignored' ELSE 'pending' END AS state,"
    " CASE WHEN i.ignored_reason <> '' AND o.outcome IS NULL THEN i.ignored_reason"
    "      WHEN o.outcome = 'parked' AND o.reason = '' THEN coalesce(p.error_message, '')"
    "      ELSE coalesce(o.reason, '') END AS reason, " FLEXSYNC_MICROS("o.settled_at") " AS settled_at";
constexpr std::string_view kJoined =
    " LEFT JOIN inbox_outcomes AS o USING (tenant_id, environment_id, seq)"
    " LEFT JOIN parked_events AS p USING (tenant_id, environment_id, seq)";

constexpr std::string_view kOneEvent =
    "i.payload, p.attempts, p.error_code, p.error_message, p.state AS parked_state,"
    " coalesce(p.blocked_on_type, '') AS blocked_on_type, coalesce(p.blocked_on_id, '') AS blocked_on_id,"
    " " FLEXSYNC_MICROS("p.parked_at") " AS since, " FLEXSYNC_MICROS("p.next_attempt_at") " AS next_attempt_at";

constexpr const char* kAttempts =
    "SELECT attempt, error_code, error_message, " FLEXSYNC_MICROS("attempted_at") " AS at"
    " FROM inbox_attempts WHERE event_id = $1 ORDER BY attempt";

// The LIKE is what the index holds; $1 is "stripe:evt_…".
constexpr const char* kChanges =
    "SELECT entity_type, entity_id, action, before, after, request_id, " FLEXSYNC_MICROS("at") " AS at"
    " FROM audit_log WHERE actor = $1 AND actor LIKE 'stripe:%' ORDER BY seq";

constexpr const char* kDeeds =
    "SELECT action, actor, " FLEXSYNC_MICROS("at") " AS at"
    " FROM audit_log WHERE entity_type = 'webhook_event' AND entity_id = $1 ORDER BY seq";

constexpr PageStatement kDeadPage{
    "p.event_id, i.event_type, i.object_type, i.object_id, p.attempts, p.error_code, p.error_message,"
    " " FLEXSYNC_MICROS("i.received_at") " AS received, " FLEXSYNC_MICROS("p.parked_at") " AS failed_first,"
    " " FLEXSYNC_MICROS("p.updated_at") " AS died",
    "parked_events AS p JOIN inbox AS i USING (tenant_id, environment_id, event_id)",
    {"p.updated_at", "p.seq"}};

WebhookEventView view_from_row(const pqxx::row& row, const Scope& scope) {
  WebhookEventView view;
  auto& event = view.event;
  event.scope = scope;
  event.id = StripeEventId{text_from(row["event_id"])};
  event.type = text_from(row["event_type"]);
  event.object_type = text_from(row["object_type"]);
  event.object_id = text_from(row["object_id"]);
  event.api_version = text_from(row["api_version"]);
  event.created = time_from(row["created"]);
  event.received = time_from(row["received"]);
  event.request_id = text_from(row["request_id"]);
  event.ignored = text_from(row["ignored_reason"]);
  view.state = text_from(row["state"]);
  view.reason = text_from(row["reason"]);
  view.settled_at = optional_time_from(row["settled_at"]);
  return view;
}

DeadLetter dead_letter_from_row(const pqxx::row& row) {
  DeadLetter letter;
  letter.event_id = StripeEventId{text_from(row["event_id"])};
  letter.type = text_from(row["event_type"]);
  letter.object_type = text_from(row["object_type"]);
  letter.object_id = text_from(row["object_id"]);
  letter.attempts = row["attempts"].as<int>();
  letter.error_code = text_from(row["error_code"]);
  letter.error_message = text_from(row["error_message"]);
  letter.received = time_from(row["received"]);
  letter.failed_first = time_from(row["failed_first"]);
  letter.died_at = time_from(row["died"]);
  return letter;
}

// The members of an audit row's `before` or `after`: the fields that differ.
std::map<std::string, std::string> members(const std::string& text) {
  std::map<std::string, std::string> fields;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) {
      fields.emplace(name, value.dump());
    }
  }
  return fields;
}

std::vector<FieldChange> field_changes(const std::string& before, const std::string& after) {
  std::map<std::string, FieldChange> changes;
  for (auto& [name, value] : members(before)) {
    changes[name].before = value;
  }
  for (auto& [name, value] : members(after)) {
    changes[name].after = value;
  }
  std::vector<FieldChange> all;
  for (auto& [name, change] : changes) {
    change.field = name;
    all.push_back(std::move(change));
  }
  return all;
}

EventChange change_from_row(const pqxx::row& row) {
  return {text_from(row["entity_type"]), text_from(row["entity_id"]),
          text_from(row["action"]),      text_from(row["request_id"]),
          time_from(row["at"]),          field_changes(text_from(row["before"]), text_from(row["after"]))};
}

std::optional<WaitingEvent> waiting_from_row(const pqxx::row& row) {
  if (row["parked_state"].is_null()) {
    return std::nullopt;
  }
  WaitingEvent waiting;
  waiting.attempts = row["attempts"].as<int>();
  waiting.error_code = text_from(row["error_code"]);
  waiting.error_message = text_from(row["error_message"]);
  waiting.object_type = text_from(row["blocked_on_type"]);
  waiting.object_id = text_from(row["blocked_on_id"]);
  waiting.since = time_from(row["since"]);
  if (text_from(row["parked_state"]) != to_string(ParkedState::dead)) {
    waiting.next_attempt_at = time_from(row["next_attempt_at"]);
  }
  return waiting;
}

void load_details(pqxx::transaction_base& tx, const pqxx::row& row, WebhookEventView& view) {
  const auto& id = view.event.id.str();
  view.event.payload = pqxx::binarystring(row["payload"]).str();
  view.waiting = waiting_from_row(row);
  for (const auto& attempt : tx.exec_params(kAttempts, id)) {
    view.attempts.push_back({attempt["attempt"].as<int>(), text_from(attempt["error_code"]),
                             text_from(attempt["error_message"]), time_from(attempt["at"])});
  }
  for (const auto& change : tx.exec_params(kChanges, "stripe:" + id)) {
    view.changes.push_back(change_from_row(change));
  }
  for (const auto& deed : tx.exec_params(kDeeds, id)) {
    view.deeds.push_back({text_from(deed["action"]), text_from(deed["actor"]), time_from(deed["at"])});
  }
}

Page<WebhookEventView> select_events(pqxx::transaction_base& tx, const Scope& scope, const WebhookEventFilter& filter,
                                     const InboxPages& pages) {
  Page<WebhookEventView> page;
  const auto count = pages.exec(tx, pages.count_sql()).at(0)[0].as<std::int64_t>();
  page.more = count > pages.count_max();
  page.total = std::min(count, pages.count_max());
  if (page.total > filter.list.offset) {
    const std::string picked = "(" + pages.page_sql() + ") AS picked JOIN inbox AS i USING (seq)";
    std::string sql("SELECT ");
    sql.append(kEventColumns).append(" FROM ").append(picked).append(kJoined);
    sql.append(" ORDER BY seq").append(filter.list.ascending ? "" : " DESC");
    for (const auto& row : pages.exec(tx, sql)) {
      page.items.push_back(view_from_row(row, scope));
    }
  }
  return page;
}

}  // namespace

Result<Page<WebhookEventView>> StoreQueries::webhook_events(const Scope& scope, const WebhookEventFilter& filter) {
  if (!filter.state.empty() && !is_event_state(filter.state)) {
    return fail(ErrorCode::validation_error, "a webhook event has no such state; use one of " + event_states(),
                {{"state", "must be one of " + event_states()}});
  }
  if (auto valid = InboxPages(filter, {}).check(); !valid) {
    return tl::unexpected(valid.error());
  }
  return pool_.call(scope, "webhook events cannot be listed",
                    [&](pqxx::transaction_base& tx) -> Result<Page<WebhookEventView>> {
                      return select_events(tx, scope, filter, InboxPages(filter, where_to_begin(tx, filter)));
                    });
}

Result<WebhookEventView> StoreQueries::webhook_event(const Scope& scope, const StripeEventId& id) {
  if (!is_storable(id.str())) {
    return fail(ErrorCode::not_found, "there is no such webhook event: its id is not valid text");
  }
  std::string sql("SELECT ");
  sql.append(kEventColumns).append(", ").append(kOneEvent).append(" FROM inbox AS i").append(kJoined);
  sql.append(" WHERE i.event_id = $1");
  return pool_.call(scope, "the webhook event cannot be read",
                    [&](pqxx::transaction_base& tx) -> Result<WebhookEventView> {
                      const auto rows = tx.exec_params(sql, id.str());
                      if (rows.empty()) {
                        return fail(ErrorCode::not_found, "there is no webhook event " + id.str());
                      }
                      auto view = view_from_row(rows[0], scope);
                      load_details(tx, rows[0], view);
                      return view;
                    });
}

Result<Page<DeadLetter>> StoreQueries::dead_letters(const Scope& scope, const DeadLetterFilter& filter) {
  const Where where = dead_letters_that_match(filter);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  return pool_.call(scope, "dead letters cannot be listed",
                    [&](pqxx::transaction_base& tx) -> Result<Page<DeadLetter>> {
                      return select_page<DeadLetter>(tx, kDeadPage, where, filter.list, dead_letter_from_row);
                    });
}

}  // namespace flexsync::store
