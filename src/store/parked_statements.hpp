// How parked events wake and give way: here, so that tests/integration/plans_test.cpp can look at the plans.
#pragma once

namespace flexsync::store {

// $1 to $5 arrays: tenant, environment, kind and Stripe id of the parents that have appeared, and now.
inline constexpr const char* kWakeBlocked = R"(
  UPDATE parked_events p SET
    next_attempt_at = least(p.next_attempt_at, 'epoch'::timestamptz + row.at * interval '1 microsecond')
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS row(tenant, environment, kind, id, at)
  WHERE p.tenant_id = row.tenant AND p.environment_id = row.environment AND p.blocked_on_id = row.id
    AND p.blocked_on_id <> '' AND p.blocked_on_type = row.kind)";

// $1 to $7 arrays: tenant, environment, object's type and id, since when its state is true, why, and now. What is
// blocked or dead is looked for by object alone (OFFSET 0): mostly there is nothing, and that must cost nothing.
inline constexpr const char* kSupersede = R"(
  WITH gone AS (
    DELETE FROM parked_events p USING (
      SELECT found.tenant_id, found.environment_id, found.seq, newer.reason, newer.at
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])
             AS newer(tenant, environment, type, id, since, reason, at)
        CROSS JOIN LATERAL (
          SELECT q.tenant_id, q.environment_id, q.seq, q.state, q.object_type, q.stripe_created FROM parked_events q
          WHERE q.tenant_id = newer.tenant AND q.environment_id = newer.environment AND q.object_id = newer.id
            AND q.object_id <> '' OFFSET 0) AS found
      WHERE found.state IN ('blocked', 'dead') AND found.object_type = newer.type
        AND found.stripe_created < 'epoch'::timestamptz + newer.since * interval '1 microsecond') AS older
    WHERE p.tenant_id = older.tenant_id AND p.environment_id = older.environment_id AND p.seq = older.seq
    RETURNING p.tenant_id, p.environment_id, p.seq, older.reason, older.at)
  UPDATE inbox_outcomes o SET outcome = 'superseded', reason = gone.reason,
         settled_at = 'epoch'::timestamptz + gone.at * interval '1 microsecond'
  FROM gone
  WHERE o.tenant_id = gone.tenant_id AND o.environment_id = gone.environment_id AND o.seq = gone.seq
    AND o.outcome || '' = 'parked')";  // by its key: an index of outcomes would go through all that is parked

}  // namespace flexsync::store
