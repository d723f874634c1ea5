-- Usage: events and the keys that count them once, meters and their mappings, rollups, batches.

-- --- events -------------------------------------------------------------------------------------------------------

-- What makes an event count once, whatever its timestamp: kept for 36 days, in a table of its own, so that sweeping
-- it leaves the events alone. Sixteen parts, so that an index stays in memory longer and vacuum has little ones.
CREATE TABLE usage_event_keys (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  event_id       text COLLATE "C" NOT NULL,
  received_at    timestamptz NOT NULL,
  occurred_at    timestamptz NOT NULL,  -- where its event is found: they go by time
  PRIMARY KEY (tenant_id, environment_id, event_id)
) PARTITION BY HASH (event_id);
DO $$
BEGIN
  FOR part IN 0..15 LOOP
    EXECUTE format('CREATE TABLE usage_event_keys_%s PARTITION OF usage_event_keys'
                   ' FOR VALUES WITH (MODULUS 16, REMAINDER %s)', part, part);
    -- Nobody reaches a part but through its table, whose policies then hold: no grants, no policies.
    EXECUTE format('ALTER TABLE usage_event_keys_%s ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE usage_event_keys_%s FORCE ROW LEVEL SECURITY', part);
  END LOOP;
END $$;
-- For the sweep alone: rows lie in the order of receipt, so block ranges tell the old ones; it costs intake nothing.
CREATE INDEX usage_event_keys_received ON usage_event_keys USING brin (received_at) WITH (autosummarize = on);

-- No primary key: uniqueness is the key table's, and an id that was swept there may come again.
CREATE TABLE usage_events (
  occurred_at          timestamptz NOT NULL,
  received_at          timestamptz NOT NULL,
  tenant_id            text COLLATE "C" NOT NULL,
  environment_id       text COLLATE "C" NOT NULL,
  event_id             text COLLATE "C" NOT NULL,
  event_name           text COLLATE "C" NOT NULL,
  external_customer_id text COLLATE "C" NOT NULL,
  customer_id          text COLLATE "C" NOT NULL,  -- '': no known customer yet
  properties           text NOT NULL,  -- a JSON object of texts; jsonb would parse it, reorder it and refuse \u0000
  source               text NOT NULL
);
-- Listing, counting again and looking up all go by time; rows come nearly in its order, so they go to its right edge.
CREATE INDEX usage_events_by_time ON usage_events (tenant_id, environment_id, occurred_at, event_id);
CREATE INDEX usage_events_unattributed ON usage_events (tenant_id, environment_id, external_customer_id)
  WHERE customer_id = '';

-- --- meters -------------------------------------------------------------------------------------------------------

CREATE TABLE meters (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  name           text NOT NULL CHECK (name <> ''),
  event_name     text COLLATE "C" NOT NULL CHECK (event_name <> ''),
  aggregation    text COLLATE "C" NOT NULL CHECK (aggregation IN ('COUNT', 'SUM', 'SUM_WITH_MULTIPLIER')),
  field          text NOT NULL,
  multiplier     numeric(60, 30) NOT NULL,
  filters        jsonb NOT NULL,
  reset_usage    text NOT NULL CHECK (reset_usage IN ('BILLING_PERIOD', 'NEVER')),
  status         text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  created_by     text NOT NULL,
  updated_by     text NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments,
  CHECK ((aggregation = 'COUNT') = (field = ''))
);

CREATE TABLE meter_mappings (
  tenant_id       text COLLATE "C" NOT NULL,
  environment_id  text COLLATE "C" NOT NULL,
  id              text COLLATE "C" NOT NULL,
  meter_id        text COLLATE "C" NOT NULL,
  stripe_meter_id text COLLATE "C" NOT NULL CHECK (stripe_meter_id <> ''),
  event_name      text NOT NULL CHECK (event_name <> ''),
  customer_key    text NOT NULL CHECK (customer_key <> ''),
  value_key       text NOT NULL CHECK (value_key <> ''),
  scale           integer NOT NULL CHECK (scale BETWEEN -15 AND 15),
  start_at        timestamptz NOT NULL,
  sync_enabled    boolean NOT NULL,
  status          text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id, meter_id) REFERENCES meters
);
-- Two-sided, as customers are: one live mapping per meter, and one per Stripe meter.
CREATE UNIQUE INDEX meter_mappings_by_meter ON meter_mappings (tenant_id, environment_id, meter_id)
  WHERE status = 'published';
CREATE UNIQUE INDEX meter_mappings_by_stripe_meter ON meter_mappings (tenant_id, environment_id, stripe_meter_id)
  WHERE status = 'published';

-- Raised by every change of a tenant's meters or mappings: intake keeps the meters in memory as long as it stands.
CREATE TABLE meter_sets (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  version        bigint NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, environment_id)
);

-- --- rollups ------------------------------------------------------------------------------------------------------

-- Intake changes quantity and event_count alone, which no index has: such an update stays in its page (HOT).
CREATE TABLE usage_rollups (
  segment_start    timestamptz NOT NULL,
  segment_end      timestamptz NOT NULL,
  event_count      bigint NOT NULL CHECK (event_count >= 0),
  batched_count    bigint NOT NULL DEFAULT 0 CHECK (batched_count >= 0),
  next_sequence    integer NOT NULL DEFAULT 1 CHECK (next_sequence > 0),
  pending          boolean NOT NULL DEFAULT true,   -- something of it is in no batch
  frozen           boolean NOT NULL DEFAULT false,  -- billed in part when its meter changed: counted the old way
  tenant_id        text COLLATE "C" NOT NULL,
  environment_id   text COLLATE "C" NOT NULL,
  customer_id      text COLLATE "C" NOT NULL CHECK (customer_id <> ''),
  meter_id         text COLLATE "C" NOT NULL,
  quantity         numeric(60, 30) NOT NULL,
  batched_quantity numeric(60, 30) NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, environment_id, segment_start, customer_id, meter_id, segment_end),
  CHECK (segment_start < segment_end)
) WITH (fillfactor = 70);
CREATE INDEX usage_rollups_pending ON usage_rollups (tenant_id, environment_id, meter_id, segment_end) WHERE pending;

-- What earlier batches of a customer and meter could not send in whole units.
CREATE TABLE usage_carries (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  customer_id    text COLLATE "C" NOT NULL,
  meter_id       text COLLATE "C" NOT NULL,
  carry          numeric(60, 30) NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, customer_id, meter_id)
) WITH (fillfactor = 70);

-- --- batches ------------------------------------------------------------------------------------------------------

CREATE TABLE stripe_sync_batches (
  tenant_id          text COLLATE "C" NOT NULL,
  environment_id     text COLLATE "C" NOT NULL,
  id                 text COLLATE "C" NOT NULL,
  customer_id        text COLLATE "C" NOT NULL,
  meter_id           text COLLATE "C" NOT NULL,
  stripe_customer_id text COLLATE "C" NOT NULL,
  event_name         text NOT NULL,
  customer_key       text NOT NULL,
  value_key          text NOT NULL,
  quantity           numeric(60, 30) NOT NULL,
  value              numeric(60, 30) NOT NULL CHECK (value = trunc(value)),
  scale              integer NOT NULL,
  event_count        bigint NOT NULL,
  window_start       timestamptz NOT NULL,
  window_end         timestamptz NOT NULL,
  sequence           integer NOT NULL CHECK (sequence > 0),
  identifier         text COLLATE "C" NOT NULL,
  event_at           timestamptz NOT NULL,
  status             text COLLATE "C" NOT NULL CHECK (status IN
                       ('pending', 'sent', 'carried', 'rejected', 'returned', 'ambiguous', 'expired')),
  attempts           integer NOT NULL CHECK (attempts >= 0),
  next_attempt_at    timestamptz NOT NULL,
  error_code         text NOT NULL,
  error_message      text NOT NULL,
  first_sent_at      timestamptz,
  synced_at          timestamptz,
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  UNIQUE (tenant_id, environment_id, identifier),
  UNIQUE (tenant_id, environment_id, window_start, customer_id, meter_id, window_end, sequence)
) WITH (fillfactor = 85);
CREATE INDEX stripe_sync_batches_newest ON stripe_sync_batches (tenant_id, environment_id, created_at DESC, id DESC);
-- What is to be sent: by window, and who of a customer and meter comes first.
CREATE INDEX stripe_sync_batches_pending ON stripe_sync_batches (tenant_id, environment_id, window_start, sequence)
  WHERE status = 'pending';
CREATE INDEX stripe_sync_batches_heads
  ON stripe_sync_batches (tenant_id, environment_id, customer_id, meter_id, window_start, sequence)
  WHERE status = 'pending';

-- --- row-level security -------------------------------------------------------------------------------------------

SELECT flexsync_protect(name) FROM unnest(ARRAY['usage_event_keys', 'usage_events', 'meters', 'meter_mappings',
  'meter_sets', 'usage_rollups', 'usage_carries', 'stripe_sync_batches']::name[]) AS name;

GRANT UPDATE ON meters, meter_mappings, meter_sets, usage_rollups, usage_carries, stripe_sync_batches TO flexsync_app;
GRANT UPDATE (customer_id) ON usage_events TO flexsync_app;
GRANT DELETE ON usage_event_keys, usage_rollups TO flexsync_app;

-- Intake writes many tenants' events in one statement: it adds to rollups, reads which keys it has written, whose the
-- events are, and what measures them. It reads no event and bills nothing.
CREATE POLICY intake_insert ON usage_event_keys FOR INSERT TO flexsync_intake WITH CHECK (true);
CREATE POLICY intake_select ON usage_event_keys FOR SELECT TO flexsync_intake USING (true);
CREATE POLICY intake_insert ON usage_events FOR INSERT TO flexsync_intake WITH CHECK (true);
CREATE POLICY intake_insert ON usage_rollups FOR INSERT TO flexsync_intake WITH CHECK (true);
CREATE POLICY intake_select ON usage_rollups FOR SELECT TO flexsync_intake USING (true);
CREATE POLICY intake_update ON usage_rollups FOR UPDATE TO flexsync_intake USING (true) WITH CHECK (true);
CREATE POLICY intake_select ON customers FOR SELECT TO flexsync_intake USING (true);
CREATE POLICY intake_select ON meters FOR SELECT TO flexsync_intake USING (true);
CREATE POLICY intake_select ON meter_mappings FOR SELECT TO flexsync_intake USING (true);
CREATE POLICY intake_select ON meter_sets FOR SELECT TO flexsync_intake USING (true);
GRANT INSERT ON usage_event_keys, usage_events TO flexsync_intake;
GRANT SELECT (tenant_id, environment_id, event_id) ON usage_event_keys TO flexsync_intake;
GRANT INSERT, SELECT ON usage_rollups TO flexsync_intake;
GRANT UPDATE (quantity, event_count, pending) ON usage_rollups TO flexsync_intake;
GRANT SELECT (tenant_id, environment_id, id, external_id, status) ON customers TO flexsync_intake;
GRANT SELECT ON meters, meter_mappings, meter_sets TO flexsync_intake;

-- --- statistics before the first row (see migration 0001) ---------------------------------------------------------

CREATE STATISTICS usage_event_keys_scope (dependencies) ON tenant_id, environment_id FROM usage_event_keys;
CREATE STATISTICS usage_events_scope (dependencies) ON tenant_id, environment_id FROM usage_events;
CREATE STATISTICS usage_rollups_scope (dependencies) ON tenant_id, environment_id FROM usage_rollups;
CREATE STATISTICS usage_carries_scope (dependencies) ON tenant_id, environment_id FROM usage_carries;
CREATE STATISTICS stripe_sync_batches_scope (dependencies) ON tenant_id, environment_id FROM stripe_sync_batches;

INSERT INTO usage_event_keys SELECT 't', 'e', 'event_' || n, now(), now() FROM generate_series(1, 16000) AS n;
INSERT INTO usage_events
  SELECT now() + n * interval '1 second', now(), 't', 'e', 'event_' || n, 'call', 'ext_' || n % 100,
         CASE WHEN n % 10 = 0 THEN '' ELSE 'cust_' || n % 100 END, '{}', ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO usage_rollups (tenant_id, environment_id, customer_id, meter_id, segment_start, segment_end, quantity,
                           event_count, pending)
  SELECT 't', 'e', 'cust_' || n, 'meter_' || n % 4, 'epoch'::timestamptz + n % 20 * interval '1 hour',
         'epoch'::timestamptz + (n % 20 + 1) * interval '1 hour', 1, 1, n % 4 = 0
  FROM generate_series(1, 1000) AS n;
INSERT INTO usage_carries SELECT 't', 'e', 'cust_' || n, 'meter_' || n % 4, 0 FROM generate_series(1, 1000) AS n;
INSERT INTO stripe_sync_batches
  SELECT 't', 'e', 'batch_' || n, 'cust_' || n, 'meter_' || n % 4, 'cus_' || n, 'call', 'stripe_customer_id', 'value',
         1, 1, 0, 1, 'epoch'::timestamptz + n % 20 * interval '1 hour',
         'epoch'::timestamptz + (n % 20 + 1) * interval '1 hour', 1, 'fs_' || n, now(),
         CASE WHEN n % 4 = 0 THEN 'pending' ELSE 'sent' END, 0, now(), '', '', NULL, NULL,
         now() + n * interval '1 second', now()
  FROM generate_series(1, 1000) AS n;
ANALYZE usage_event_keys, usage_events, usage_rollups, usage_carries, stripe_sync_batches;
TRUNCATE usage_event_keys, usage_events, usage_rollups, usage_carries, stripe_sync_batches;
