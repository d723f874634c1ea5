// How the outbox is read: here, so that tests/integration/plans_test.cpp can look at the very statements' plans.
#pragma once

#include <string>

#include "store/rows.hpp"

namespace flexsync::store {

// $1, $2 the scope, $3 now, $4 busy entities, $5 how many at most. The due ones by their index, one after the other
// until the page is full; an intent that another of its entity comes before is passed over, which OFFSET 0 keeps a
// look-up by key each (see migration 0001).
inline std::string ready_intents_sql() {
  return "SELECT " + std::string(kIntentColumns) +
         ", coalesce((SELECT m.provider_entity_id FROM entity_integration_mappings m"
         "            WHERE m.tenant_id = $1 AND m.environment_id = $2 AND m.entity_id = o.entity_id"
         "              AND m.entity_type = o.entity_type AND m.provider_type = 'stripe' AND m.status = 'published'),"
         "           '') AS stripe_id"
         " FROM outbox o WHERE o.tenant_id = $1 AND o.environment_id = $2 AND o.state = 'ready'"
         "   AND o.next_attempt_at <= " FLEXSYNC_TIME("$3") " AND o.entity_id <> ALL ($4::text[])"
         "   AND NOT EXISTS (SELECT 1 FROM outbox older"
         "                   WHERE older.tenant_id = $1 AND older.environment_id = $2"
         "                     AND older.entity_id = o.entity_id AND older.entity_type = o.entity_type"
         "                     AND older.state = 'ready' AND older.seq < o.seq OFFSET 0)"
         " ORDER BY o.next_attempt_at, o.seq LIMIT $5";
}

inline constexpr const char* kNextDue =
    "SELECT " FLEXSYNC_MICROS("min(next_attempt_at)")
    " FROM outbox WHERE tenant_id = $1 AND environment_id = $2 AND state = 'ready'"
    " AND next_attempt_at > " FLEXSYNC_TIME("$3");

}  // namespace flexsync::store
