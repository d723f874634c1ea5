#include <algorithm>
#include <array>

#include "store/dead_letter_filter.hpp"
#include "store/queries.hpp"
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
constexpr std::string_view kEvents =
    "inbox AS i LEFT JOIN inbox_outcomes AS o USING (tenant_id, environment_id, seq)"
    " LEFT JOIN parked_events AS p USING (tenant_id, environment_id, seq)";
// By arrival: the sequence has an index, and the times of receipt follow it.
constexpr PageStatement kEventPage{kEventColumns, kEvents, {"i.seq"}};

constexpr const char* kPayload = "SELECT payload FROM inbox WHERE event_id = $1";

constexpr const char* kAttempts =
    "SELECT attempt, error_code, error_message, " FLEXSYNC_MICROS("attempted_at") " AS at"
    " FROM inbox_attempts WHERE event_id = $1 ORDER BY attempt";

// The rows that this event wrote about the entity its object is mirrored into.
constexpr std::string_view kChangesFrom =
    " FROM audit_log JOIN stripe_objects AS s USING (tenant_id, environment_id, entity_id)"
    " WHERE s.object_type = $1 AND s.stripe_id = $2 AND entity_type = $1 AND actor = 'stripe:' || $3::text"
    " ORDER BY audit_log.seq";

constexpr PageStatement kDeadPage{
    "p.event_id, i.event_type, i.object_type, i.object_id, p.attempts, p.error_code, p.error_message,"
    " " FLEXSYNC_MICROS("i.received_at") " AS received, " FLEXSYNC_MICROS("p.updated_at") " AS died",
    "parked_events AS p JOIN inbox AS i USING (tenant_id, environment_id, event_id)",
    {"p.updated_at", "p.seq"}};

struct StateFilter {
  std::string_view state;
  std::string_view fragment;
};

constexpr std::array kStateFilters = {
    StateFilter{"pending", "o.seq IS NULL AND i.ignored_reason = ''"},
    StateFilter{"applied", "o.outcome = 'applied'"},
    StateFilter{"unchanged", "o.outcome = 'unchanged'"},
    StateFilter{"superseded", "o.outcome = 'superseded'"},
    StateFilter{"ignored", "o.outcome = 'ignored' OR (o.seq IS NULL AND i.ignored_reason <> '')"},
    StateFilter{"deferred", "o.outcome = 'deferred'"},
    StateFilter{"discarded", "o.outcome = 'discarded'"},
    StateFilter{"parked", "o.outcome = 'parked'"},
    StateFilter{"retrying", "o.outcome = 'parked' AND p.state = 'retrying'"},
    StateFilter{"blocked", "o.outcome = 'parked' AND p.state = 'blocked'"},
    StateFilter{"dead", "o.outcome = 'parked' AND p.state = 'dead'"},
    StateFilter{"redriven", "o.outcome = 'parked' AND p.state = 'redriven'"},
};

Result<void> add_state(Where& where, const std::string& state) {
  if (state.empty()) {
    return {};
  }
  const auto* found = std::find_if(kStateFilters.begin(), kStateFilters.end(),
                                   [&](const auto& filter) { return filter.state == state; });
  if (found != kStateFilters.end()) {
    where.add(found->fragment);
    return {};
  }
  std::string known;
  for (const auto& filter : kStateFilters) {
    known.append(known.empty() ? "" : ", ").append(filter.state);
  }
  return fail(ErrorCode::validation_error, "a webhook event has no such state; use one of " + known,
              {{"state", "must be one of " + known}});
}

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
  letter.died_at = time_from(row["died"]);
  return letter;
}

void load_details(pqxx::transaction_base& tx, WebhookEventView& view) {
  auto& event = view.event;
  const auto& id = event.id.str();
  const auto payload = tx.exec_params(kPayload, id);
  event.payload = pqxx::binarystring(payload.at(0)[0]).str();
  for (const auto& row : tx.exec_params(kAttempts, id)) {
    view.attempts.push_back({row["attempt"].as<int>(), text_from(row["error_code"]), text_from(row["error_message"]),
                             time_from(row["at"])});
  }
  const auto changes = std::string("SELECT ").append(kAuditColumns).append(kChangesFrom);
  for (const auto& row : tx.exec_params(changes, event.object_type, event.object_id, id)) {
    view.changes.push_back(audit_from_row(row));
  }
}

}  // namespace

Result<Page<WebhookEventView>> StoreQueries::webhook_events(const Scope& scope, const WebhookEventFilter& filter) {
  Where where;
  if (auto valid = add_state(where, filter.state); !valid) {
    return tl::unexpected(valid.error());
  }
  where.add_if_given("i.event_type = ?", filter.type);
  where.add_if_given("i.object_id = ?", filter.object_id);
  where.add_times("i.received_at", filter.list);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  return pool_.call(
      scope, "webhook events cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<WebhookEventView>> {
        return select_page<WebhookEventView>(tx, kEventPage, where, filter.list,
                                             [&](const pqxx::row& row) { return view_from_row(row, scope); });
      });
}

Result<WebhookEventView> StoreQueries::webhook_event(const Scope& scope, const StripeEventId& id) {
  Where where;
  where.add("i.event_id = ?", id.str());
  if (!where.check()) {
    return fail(ErrorCode::not_found, "there is no such webhook event: its id is not valid text");
  }
  return pool_.call(scope, "the webhook event cannot be read",
                    [&](pqxx::transaction_base& tx) -> Result<WebhookEventView> {
                      const auto rows = where.exec(tx, page_sql(kEventPage, where, ListOptions{}));
                      if (rows.empty()) {
                        return fail(ErrorCode::not_found, "there is no webhook event " + id.str());
                      }
                      auto view = view_from_row(rows[0], scope);
                      load_details(tx, view);
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
