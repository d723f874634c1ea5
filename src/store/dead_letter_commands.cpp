#include "store/dead_letter_commands.hpp"

#include "store/dead_letter_filter.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

// One statement each, so that what is counted, changed and audited is the same set. A letter that is redriven and
// discarded at once goes to whoever locks it first; the other sees it is no longer dead.
constexpr std::string_view kParked = "parked_events AS p JOIN inbox AS i USING (tenant_id, environment_id, event_id)";

constexpr std::string_view kAudited =
    ", audited AS (INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before,"
    "                                     after, request_id, at)"
    "  SELECT tenant_id, environment_id, 'webhook_event', event_id, d.action, d.actor, '{\"state\":\"dead\"}',"
    "         json_build_object('state', d.state), '', d.now FROM changed, done_by AS d)"
    " SELECT count(*) FROM changed";

constexpr std::string_view kRedrive =
    ", changed AS (UPDATE parked_events AS p"
    "  SET state = 'redriven', next_attempt_at = d.now, updated_at = d.now FROM matching AS m, done_by AS d"
    "  WHERE p.tenant_id = m.tenant_id AND p.environment_id = m.environment_id AND p.seq = m.seq AND p.state = 'dead'"
    "  RETURNING p.tenant_id, p.environment_id, p.event_id)";

constexpr std::string_view kDiscard =
    ", changed AS (DELETE FROM parked_events AS p USING matching AS m"
    "  WHERE p.tenant_id = m.tenant_id AND p.environment_id = m.environment_id AND p.seq = m.seq AND p.state = 'dead'"
    "  RETURNING p.tenant_id, p.environment_id, p.seq, p.event_id, p.error_message),"
    " settled AS (UPDATE inbox_outcomes AS o SET outcome = 'discarded', settled_at = d.now,"
    "    reason = 'discarded by ' || d.actor || ' after: ' || c.error_message FROM changed AS c, done_by AS d"
    "  WHERE o.tenant_id = c.tenant_id AND o.environment_id = c.environment_id AND o.seq = c.seq"
    "    AND o.outcome = 'parked')";

// The statement's own values, bound after those of the filter.
std::string done_by(Where& where, std::string_view action, std::string_view state, Timestamp now, const Principal& by) {
  const auto text = [&](std::string_view value) { return where.bind(std::string(value)) + "::text"; };
  std::string sql = "done_by AS (SELECT ";
  sql += text(action) + " AS action, " + text(state) + " AS state, " + text(by.label) + " AS actor, ";
  sql += "'epoch'::timestamptz + " + where.bind(std::to_string(to_unix_micros(now)));
  return sql + "::bigint * interval '1 microsecond' AS now)";
}

std::string matching(const Where& where) {
  std::string sql = ", matching AS (SELECT p.tenant_id, p.environment_id, p.seq FROM ";
  return sql.append(kParked).append(where.sql()).append(" FOR UPDATE OF p)");
}

struct Command {
  std::string_view what;
  std::string_view action;
  std::string_view state;  // what the audit row shows as the state afterwards
  std::string_view change;
};

constexpr Command kRedriveCommand{"the dead letters cannot be redriven", "redrive", "redriven", kRedrive};
constexpr Command kDiscardCommand{"the dead letters cannot be discarded", "discard", "discarded", kDiscard};

Result<std::int64_t> run(ReadPool& pool, const Scope& scope, Where where, const Command& command, bool count_only,
                         Timestamp now, const Principal& by) {
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  std::string sql;
  if (count_only) {
    sql.append("SELECT count(*) FROM ").append(kParked).append(where.sql());
  } else {
    const auto values = done_by(where, command.action, command.state, now, by);
    sql.append("WITH ").append(values).append(matching(where)).append(command.change).append(kAudited);
  }
  return pool.call(scope, std::string(command.what), [&](pqxx::transaction_base& tx) -> Result<std::int64_t> {
    return where.exec(tx, sql).at(0)[0].as<std::int64_t>();
  });
}

}  // namespace

StoreDeadLetterCommands::StoreDeadLetterCommands(ReadPool& pool, const Clock& clock,
                                                 std::function<void(const Scope&)> wake)
    : pool_(pool), clock_(clock), wake_(std::move(wake)) {}

Result<std::int64_t> StoreDeadLetterCommands::redrive(const Scope& scope, const DeadLetterFilter& filter,
                                                      bool count_only, const Principal& by) {
  auto count = run(pool_, scope, dead_letters_that_match(filter), kRedriveCommand, count_only, clock_.now(), by);
  if (count && *count > 0 && !count_only && wake_) {
    wake_(scope);
  }
  return count;
}

Result<std::int64_t> StoreDeadLetterCommands::discard(const Scope& scope, const DeadLetterFilter& filter,
                                                      bool count_only, const Principal& by) {
  return run(pool_, scope, dead_letters_that_match(filter), kDiscardCommand, count_only, clock_.now(), by);
}

}  // namespace flexsync::store
