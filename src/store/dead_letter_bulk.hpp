// One statement that does the same to all events that match: so that what is counted, consented to, changed and audited
// is one set. What two commands want at once goes to whoever locks it first; the other sees that it no longer matches.
#pragma once

#include <string>
#include <string_view>

#include "domain/ports.hpp"
#include "store/read_pool.hpp"
#include "store/where.hpp"

namespace flexsync::store {

struct BulkCommand {
  std::string_view what;    // "the dead letters cannot be redriven"
  std::string_view noun;    // "dead letters"
  std::string_view action;  // of the audit row
  std::string_view state;   // what the audit row shows as the state afterwards
  std::string_view columns;
  std::string_view from;
  std::string_view locked;  // the alias of the table whose rows change
  // CTEs over matching, done_by (action, state, actor, now) and consent (given), the first of them
  // changed (tenant_id, environment_id, event_id, was).
  std::string_view change;
};

// `by_id`: the filter names events, so the result does, too. Refused with version_conflict, and nothing changed, when
// another number matches than was expected.
Result<BulkResult> run_bulk(ReadPool& pool, const Scope& scope, Where where, const BulkCommand& command,
                            const BulkConsent& consent, bool by_id, Timestamp now, const Principal& by);

}  // namespace flexsync::store
