-- Reading the inbox when it is long: its lists by state, type and time, and what one event has changed.
--
-- Intake and application pay for every index here with each event, so each is as small as its question allows; which
-- statement uses which is guarded by tests/integration/plans_inbox_test.cpp.

-- --- lists --------------------------------------------------------------------------------------------------------

-- Every list goes by arrival, that is by seq. The times ride along, so that a list by time reads no payloads.
DROP INDEX inbox_by_seq;
CREATE UNIQUE INDEX inbox_by_seq ON inbox (tenant_id, environment_id, seq) INCLUDE (received_at, stripe_created);
CREATE INDEX inbox_by_type ON inbox (tenant_id, environment_id, event_type, seq);
-- These never get an outcome; few, and an index of nothing but them.
CREATE INDEX inbox_ignored ON inbox (tenant_id, environment_id, seq) WHERE ignored_reason <> '';
-- Most events are applied: those are found by seq, and cost nothing here.
CREATE INDEX inbox_outcomes_by_outcome ON inbox_outcomes (tenant_id, environment_id, outcome, seq)
  WHERE outcome <> 'applied';
CREATE INDEX parked_events_newest ON parked_events (tenant_id, environment_id, state, updated_at, seq);

-- Where in the inbox of the caller's scope does `moment` lie? The first seq from which on events were received then or
-- later, by halving: twenty steps in a million rows, and no index that intake would have to keep. Times of receipt
-- follow seq but for moments (writers commit side by side, clocks are put right), so the caller allows for some.
CREATE FUNCTION inbox_seq_at(moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  low  bigint := (SELECT i.seq FROM inbox i ORDER BY i.seq LIMIT 1);
  high bigint := (SELECT i.seq FROM inbox i ORDER BY i.seq DESC LIMIT 1) + 1;
  half bigint;
  met  record;
BEGIN
  WHILE low < high LOOP
    half := low + (high - low) / 2;
    SELECT i.seq, i.received_at INTO met FROM inbox i WHERE i.seq >= half ORDER BY i.seq LIMIT 1;
    IF met.received_at < moment THEN
      low := met.seq + 1;
    ELSE
      high := half;
    END IF;
  END LOOP;
  RETURN coalesce(low, 0);
END $$;
REVOKE ALL ON FUNCTION inbox_seq_at(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbox_seq_at(timestamptz) TO flexsync_app;

-- --- what an event changed ----------------------------------------------------------------------------------------

-- An event may change several entities, in several change sets (a subscription's makes the customer it lacks), so
-- the audit rows themselves are what tells; only those of events are in the index, and only by the event: Stripe's
-- ids are unique by themselves, and tenant and environment would more than double it.
CREATE INDEX audit_log_by_event ON audit_log (actor) WHERE actor LIKE 'stripe:%';

-- --- statistics before the first row (see migration 0001) ---------------------------------------------------------

-- Anew, with what 0001 had no need of: many types, every outcome, every state of the parked.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM inbox) THEN
    ANALYZE inbox, inbox_outcomes, parked_events, audit_log;
    RETURN;
  END IF;
  INSERT INTO tenants VALUES ('t', 'statistics', 'published', now(), now());
  INSERT INTO environments VALUES ('t', 'e', 'statistics', 'development', 'published', now(), now());
  INSERT INTO inbox (tenant_id, environment_id, seq, event_id, event_type, object_type, object_id, api_version,
                     stripe_created, received_at, request_id, ignored_reason, payload_bytes, payload)
    SELECT 't', 'e', n, 'evt_' || n, 'type_' || n % 40, 'customer', 'cus_' || n, '', now() + n * interval '1 second',
           now() + n * interval '1 second', '', CASE WHEN n % 50 = 0 THEN 'ignored' ELSE '' END, 1, ''
    FROM generate_series(1, 1000) AS n;
  INSERT INTO inbox_outcomes
    SELECT 't', 'e', n,
           coalesce((ARRAY['superseded', 'unchanged', 'ignored', 'deferred', 'discarded', 'parked'])[n % 20],
                    'applied'), '', now()
    FROM generate_series(1, 1000) AS n WHERE n % 50 <> 0;
  INSERT INTO parked_events
    SELECT 't', 'e', n, 'evt_' || n, (ARRAY['retrying', 'blocked', 'dead', 'redriven'])[1 + n % 4], 1, now(), '', '',
           now(), now() + n * interval '1 second'
    FROM generate_series(1, 1000) AS n;
  ANALYZE inbox, inbox_outcomes, parked_events;
  TRUNCATE inbox, inbox_outcomes, parked_events;
  DELETE FROM environments WHERE tenant_id = 't';
  DELETE FROM tenants WHERE tenant_id = 't';
END $$;
