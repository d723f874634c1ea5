#include "store/change_batch.hpp"

namespace flexsync::store::changes {

namespace {

constexpr Statement kSettle{"settle", R"(
  INSERT INTO inbox_outcomes (tenant_id, environment_id, seq, outcome, reason, settled_at)
  SELECT tenant, environment, seq, outcome, reason, 'epoch'::timestamptz + at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
    AS row(tenant, environment, seq, outcome, reason, at)
  ON CONFLICT DO NOTHING
  RETURNING tenant_id, environment_id, seq)"};

constexpr Statement kSettleParked{"settle_parked", R"(
  UPDATE inbox_outcomes o SET outcome = row.outcome, reason = row.reason,
         settled_at = 'epoch'::timestamptz + row.at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
    AS row(tenant, environment, seq, outcome, reason, at)
  WHERE o.tenant_id = row.tenant AND o.environment_id = row.environment AND o.seq = row.seq AND o.outcome = 'parked'
  RETURNING o.tenant_id, o.environment_id, o.seq)"};

constexpr Statement kUnpark{"unpark", R"(
  DELETE FROM parked_events p USING unnest($1::text[], $2::text[], $3::bigint[]) AS row(tenant, environment, seq)
  WHERE p.tenant_id = row.tenant AND p.environment_id = row.environment AND p.seq = row.seq)"};

}  // namespace

void prepare_inbox(pqxx::connection& connection) {
  prepare(connection, std::array{kSettle, kSettleParked, kUnpark});
}

Written settle(pqxx::transaction_base& tx, const Batch& batch) {
  Table<6> fresh;
  Table<6> parked;
  Table<3> unpark;
  for (const auto* c : ordered(batch, [](const ChangeSet& s) { return s.settlement ? &s.settlement->seq : nullptr; })) {
    const auto& s = *c->settlement;
    auto& table = s.was_parked ? parked : fresh;
    table.row(c->scope.tenant.str(), c->scope.environment.str(), s.seq, to_string(s.outcome), s.reason, s.at);
    if (s.was_parked && s.outcome != InboxOutcome::parked) {
      unpark.row(c->scope.tenant.str(), c->scope.environment.str(), s.seq);
    }
  }
  auto keys = written(fresh.exec(tx, kSettle));
  keys.merge(written(parked.exec(tx, kSettleParked)));
  unpark.exec(tx, kUnpark);
  return keys;
}

}  // namespace flexsync::store::changes
