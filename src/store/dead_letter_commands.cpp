#include "store/dead_letter_commands.hpp"

#include <algorithm>
#include <array>

#include "store/dead_letter_bulk.hpp"
#include "store/dead_letter_filter.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr std::string_view kLetterColumns = "p.tenant_id, p.environment_id, p.seq";
constexpr std::string_view kLetters = "parked_events AS p JOIN inbox AS i USING (tenant_id, environment_id, event_id)";

constexpr BulkCommand kRedrive{
    "the dead letters cannot be redriven",
    "dead letters",
    "redrive",
    "redriven",
    kLetterColumns,
    kLetters,
    "p",
    ", changed AS (UPDATE parked_events AS p"
    "  SET state = 'redriven', next_attempt_at = d.now, updated_at = d.now"
    "  FROM matching AS m, done_by AS d, consent AS c"
    "  WHERE c.given AND p.tenant_id = m.tenant_id AND p.environment_id = m.environment_id AND p.seq = m.seq"
    "    AND p.state = 'dead'"
    "  RETURNING p.tenant_id, p.environment_id, p.event_id, 'dead' AS was)"};

constexpr BulkCommand kDiscard{
    "the dead letters cannot be discarded",
    "dead letters",
    "discard",
    "discarded",
    kLetterColumns,
    kLetters,
    "p",
    ", changed AS (DELETE FROM parked_events AS p USING matching AS m, consent AS c"
    "  WHERE c.given AND p.tenant_id = m.tenant_id AND p.environment_id = m.environment_id AND p.seq = m.seq"
    "    AND p.state = 'dead'"
    "  RETURNING p.tenant_id, p.environment_id, p.seq, p.event_id, p.error_message, 'dead' AS was),"
    " settled AS (UPDATE inbox_outcomes AS o SET outcome = 'discarded', settled_at = d.now,"
    "    reason = 'discarded by ' || d.actor || ' after: ' || c.error_message FROM changed AS c, done_by AS d"
    "  WHERE o.tenant_id = c.tenant_id AND o.environment_id = c.environment_id AND o.seq = c.seq"
    "    AND o.outcome = 'parked')"};

// A replayed event is one that a person has redriven. Its attempts go on counting: each has its row.
constexpr BulkCommand kReplay{
    "the events cannot be replayed",
    "settled events",
    "replay",
    "redriven",
    "o.tenant_id, o.environment_id, o.seq, i.event_id, o.outcome",
    "inbox_outcomes AS o JOIN inbox AS i USING (tenant_id, environment_id, seq)",
    "o",
    ", changed AS (UPDATE inbox_outcomes AS o"
    "  SET outcome = 'parked', reason = 'replayed by ' || d.actor, settled_at = d.now"
    "  FROM matching AS m, done_by AS d, consent AS c"
    "  WHERE c.given AND o.tenant_id = m.tenant_id AND o.environment_id = m.environment_id AND o.seq = m.seq"
    "    AND o.outcome = m.outcome"
    "  RETURNING o.tenant_id, o.environment_id, o.seq, m.event_id, m.outcome AS was),"
    " parked AS (INSERT INTO parked_events (tenant_id, environment_id, seq, event_id, state, attempts,"
    "                                       next_attempt_at, error_code, error_message, parked_at, updated_at)"
    "  SELECT c.tenant_id, c.environment_id, c.seq, c.event_id, 'redriven',"
    "         (SELECT coalesce(max(a.attempt), 0) FROM inbox_attempts AS a WHERE a.event_id = c.event_id),"
    "         d.now, '', '', d.now, d.now FROM changed AS c, done_by AS d)"};

constexpr std::array<std::string_view, 6> kReplayable = {"applied", "unchanged", "superseded",
                                                         "ignored", "deferred",  "discarded"};

Result<Where> events_that_match(const StoreDeadLetterCommands::ReplayFilter& filter) {
  const auto& events = filter.events;
  Where where;
  if (events.state.empty()) {
    where.add("o.outcome <> 'parked'");
  } else if (std::find(kReplayable.begin(), kReplayable.end(), events.state) == kReplayable.end()) {
    const std::string known = "applied, unchanged, superseded, ignored, deferred, discarded";
    return fail(ErrorCode::validation_error, "only settled events can be replayed: use one of " + known,
                {{"state", "must be one of " + known}});
  } else {
    where.add("o.outcome = '" + events.state + "'");  // one of ours, written out: the planner knows how many have it
  }
  where.add("i.ignored_reason = ''");
  if (!filter.event_ids.empty()) {
    where.add("i.event_id = ANY (?::text[])", filter.event_ids);
  }
  if (!events.types.empty()) {
    where.add("i.event_type = ANY (?::text[])", events.types);
  }
  where.add_if_given("i.object_id = ?", events.object_id);
  where.add_times("i.received_at", events.list);
  ListOptions created;
  created.start_time = events.created_from;
  created.end_time = events.created_to;
  where.add_times("i.stripe_created", created);
  return where;
}

}  // namespace

StoreDeadLetterCommands::StoreDeadLetterCommands(ReadPool& pool, const Clock& clock,
                                                 std::function<void(const Scope&)> wake)
    : pool_(pool), clock_(clock), wake_(std::move(wake)) {}

Result<BulkResult> StoreDeadLetterCommands::redrive(const Scope& scope, const DeadLetterFilter& filter,
                                                    const BulkConsent& consent, const Principal& by) {
  auto done = run_bulk(pool_, scope, dead_letters_that_match(filter), kRedrive, consent, !filter.event_ids.empty(),
                       clock_.now(), by);
  wake(scope, done, consent);
  return done;
}

Result<BulkResult> StoreDeadLetterCommands::discard(const Scope& scope, const DeadLetterFilter& filter,
                                                    const BulkConsent& consent, const Principal& by) {
  return run_bulk(pool_, scope, dead_letters_that_match(filter), kDiscard, consent, !filter.event_ids.empty(),
                  clock_.now(), by);
}

Result<BulkResult> StoreDeadLetterCommands::replay(const Scope& scope, const ReplayFilter& filter,
                                                   const BulkConsent& consent, const Principal& by) {
  auto where = events_that_match(filter);
  if (!where) {
    return tl::unexpected(where.error());
  }
  auto done = run_bulk(pool_, scope, std::move(*where), kReplay, consent, !filter.event_ids.empty(), clock_.now(), by);
  wake(scope, done, consent);
  return done;
}

void StoreDeadLetterCommands::wake(const Scope& scope, const Result<BulkResult>& done,
                                   const BulkConsent& consent) const {
  if (done && done->count > 0 && !consent.dry_run && wake_) {
    wake_(scope);
  }
}

}  // namespace flexsync::store
