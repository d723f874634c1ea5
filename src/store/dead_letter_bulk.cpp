#include "store/dead_letter_bulk.hpp"

#include <nlohmann/json.hpp>

#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr std::string_view kAudited =
    ", audited AS (INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before,"
    "                                     after, request_id, at)"
    "  SELECT tenant_id, environment_id, 'webhook_event', event_id, d.action, d.actor,"
    "         json_build_object('state', was), json_build_object('state', d.state), d.request, d.now"
    "  FROM changed, done_by AS d)"
    " SELECT c.count AS matching, c.given, (SELECT count(*) FROM changed) AS changed,";

// The statement's own values, bound after those of the filter.
std::string done_by(Where& where, const BulkCommand& command, Timestamp now, const Principal& by) {
  const auto text = [&](std::string_view value) { return where.bind(std::string(value)) + "::text"; };
  std::string sql = "WITH done_by AS (SELECT ";
  sql += text(command.action) + " AS action, " + text(command.state) + " AS state, " + text(by.label) + " AS actor, ";
  sql += text(by.request_id) + " AS request, 'epoch'::timestamptz + " + where.bind(std::to_string(to_unix_micros(now)));
  return sql + "::bigint * interval '1 microsecond' AS now)";
}

std::string statement(Where& where, const BulkCommand& command, const BulkConsent& consent, bool by_id, Timestamp now,
                      const Principal& by) {
  const auto clause = where.sql();
  std::string sql = done_by(where, command, now, by);
  sql.append(", matching AS (SELECT ").append(command.columns).append(" FROM ").append(command.from).append(clause);
  sql.append(" FOR UPDATE OF ").append(command.locked).append(")");
  const auto expected = consent.expected_count ? "count(*) = " + std::to_string(*consent.expected_count) : "true";
  sql.append(", consent AS (SELECT count(*) AS count, ").append(expected).append(" AS given FROM matching)");
  sql.append(command.change).append(kAudited);
  sql.append(by_id ? " (SELECT coalesce(json_agg(event_id), '[]') FROM changed)" : " '[]'::json");
  return sql.append(" AS event_ids FROM consent AS c");
}

Result<BulkResult> refused(const BulkCommand& command, std::int64_t matching, std::int64_t expected) {
  return fail(ErrorCode::version_conflict,
              std::to_string(matching) + " " + std::string(command.noun) + " match, not " + std::to_string(expected) +
                  ": nothing was changed",
              {{"expected_count", "is " + std::to_string(expected)}, {"count", std::to_string(matching)}});
}

}  // namespace

Result<BulkResult> run_bulk(ReadPool& pool, const Scope& scope, Where where, const BulkCommand& command,
                            const BulkConsent& consent, bool by_id, Timestamp now, const Principal& by) {
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  if (consent.dry_run) {
    const auto sql = std::string("SELECT count(*) FROM ").append(command.from).append(where.sql());
    return pool.call(scope, std::string(command.what), [&](pqxx::transaction_base& tx) -> Result<BulkResult> {
      return BulkResult{where.exec(tx, sql).at(0)[0].as<std::int64_t>(), {}};
    });
  }
  const auto sql = statement(where, command, consent, by_id, now, by);
  return pool.call(scope, std::string(command.what), [&](pqxx::transaction_base& tx) -> Result<BulkResult> {
    const auto row = where.exec(tx, sql).at(0);
    if (!row["given"].as<bool>()) {
      return refused(command, row["matching"].as<std::int64_t>(), consent.expected_count.value_or(0));
    }
    return BulkResult{row["changed"].as<std::int64_t>(),
                      nlohmann::json::parse(text_from(row["event_ids"])).get<std::vector<std::string>>()};
  });
}

}  // namespace flexsync::store
