-- The ground: tenancy, the inbox, customers, mappings, shadows, audit.
--
-- Every key begins with tenant and environment. Row-level security is forced on every table that has a tenant_id
-- (at the end of this file); tests/integration/row_level_security_test.cpp reads the catalogue and fails when a new
-- table lacks it. Ids compare by bytes (COLLATE "C"): their order carries no language, and it is several times faster.

-- Roles. The server connects with a login of the operator's choice and sets one of these for each connection.
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['flexsync_app', 'flexsync_intake', 'flexsync_apply', 'flexsync_lookup'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', wanted);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this cluster was migrated at the same moment
      END;
    END IF;
    IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
    END IF;
  END LOOP;
END $$;

-- --- tenancy ------------------------------------------------------------------------------------------------------

CREATE TABLE tenants (
  tenant_id  text COLLATE "C" PRIMARY KEY,
  name       text NOT NULL CHECK (name <> ''),
  status     text NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'archived', 'deleted')),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE environments (
  tenant_id      text COLLATE "C" NOT NULL REFERENCES tenants,
  environment_id text COLLATE "C" NOT NULL,
  name           text NOT NULL CHECK (name <> ''),
  type           text NOT NULL CHECK (type IN ('development', 'production')),
  status         text NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'archived', 'deleted')),
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id)
);

CREATE TABLE api_keys (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  name           text NOT NULL,
  type           text NOT NULL CHECK (type IN ('private_key', 'publishable_key')),
  key_hash       text COLLATE "C" NOT NULL UNIQUE,  -- SHA-256, hex; the key itself is never stored
  display        text NOT NULL,
  status         text NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'archived', 'deleted')),
  expires_at     timestamptz,
  last_used_at   timestamptz,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
);

CREATE TABLE connections (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  name           text NOT NULL,
  provider_type  text NOT NULL CHECK (provider_type = 'stripe'),
  account_id     text COLLATE "C" NOT NULL DEFAULT '',
  livemode       boolean,
  metadata       jsonb NOT NULL DEFAULT '{}',
  sync_config    jsonb NOT NULL DEFAULT '{}',
  -- {field: [{key_id, ciphertext}]}: AES-256-GCM, the key's id beside each ciphertext, hex
  secrets        jsonb NOT NULL DEFAULT '{}',
  status         text NOT NULL DEFAULT 'published' CHECK (status IN ('published', 'archived', 'deleted')),
  created_by     text NOT NULL,
  updated_by     text NOT NULL,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
);
CREATE UNIQUE INDEX connections_one_per_provider ON connections (tenant_id, environment_id, provider_type)
  WHERE status = 'published';

-- --- who owns a tenant's work -------------------------------------------------------------------------------------

-- Raised when a tenant supervisor starts, checked by every change set: a supervisor that was replaced writes nothing.
CREATE TABLE tenant_owner (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  epoch          bigint NOT NULL CHECK (epoch > 0),
  PRIMARY KEY (tenant_id, environment_id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
);

-- All inbox rows up to here are settled, and have been for a while: where a supervisor begins to read.
CREATE TABLE inbox_watermarks (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  seq            bigint NOT NULL,
  PRIMARY KEY (tenant_id, environment_id)
);

-- --- the inbox ----------------------------------------------------------------------------------------------------

-- Written once by intake, never updated: no foreign key, so that intake depends on this one table alone.
CREATE SEQUENCE inbox_seq;
CREATE TABLE inbox (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  seq            bigint NOT NULL DEFAULT nextval('inbox_seq'),
  event_id       text COLLATE "C" NOT NULL,
  event_type     text COLLATE "C" NOT NULL,
  object_type    text COLLATE "C" NOT NULL,
  object_id      text COLLATE "C" NOT NULL,
  api_version    text NOT NULL,
  stripe_created timestamptz NOT NULL,
  received_at    timestamptz NOT NULL,
  request_id     text NOT NULL,
  ignored_reason text NOT NULL DEFAULT '',
  payload_bytes  integer NOT NULL,
  payload        bytea NOT NULL,  -- jsonb would refuse \u0000
  PRIMARY KEY (tenant_id, environment_id, event_id)
) WITH (toast_tuple_target = 8160);
-- A webhook of a few kB stays in its row, uncompressed: the toaster costs more than the space.
ALTER TABLE inbox ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX inbox_by_seq ON inbox (tenant_id, environment_id, seq);
CREATE INDEX inbox_by_object ON inbox (tenant_id, environment_id, object_id, seq);

-- One row per settled inbox row. Append-only, but for `parked`, which ends in another outcome.
CREATE TABLE inbox_outcomes (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  seq            bigint NOT NULL,
  outcome        text COLLATE "C" NOT NULL CHECK (outcome IN
                   ('applied', 'unchanged', 'superseded', 'ignored', 'deferred', 'parked', 'discarded')),
  reason         text NOT NULL DEFAULT '',
  settled_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, seq)
);

-- Events that failed and wait: retried, blocked, or dead until a person redrives or discards them.
CREATE TABLE parked_events (
  tenant_id       text COLLATE "C" NOT NULL,
  environment_id  text COLLATE "C" NOT NULL,
  seq             bigint NOT NULL,
  event_id        text COLLATE "C" NOT NULL,
  state           text COLLATE "C" NOT NULL CHECK (state IN ('retrying', 'blocked', 'dead', 'redriven')),
  attempts        integer NOT NULL CHECK (attempts >= 0),
  next_attempt_at timestamptz NOT NULL,
  error_code      text NOT NULL,
  error_message   text NOT NULL,
  parked_at       timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, seq),
  UNIQUE (tenant_id, environment_id, event_id),
  FOREIGN KEY (tenant_id, environment_id, event_id) REFERENCES inbox
);
CREATE INDEX parked_events_due ON parked_events (tenant_id, environment_id, state, next_attempt_at);

-- Every failed attempt at an event, for whoever asks why it is late.
CREATE TABLE inbox_attempts (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  event_id       text COLLATE "C" NOT NULL,
  attempt        integer NOT NULL,
  error_code     text NOT NULL,
  error_message  text NOT NULL,
  attempted_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, event_id, attempt)
);

-- --- customers, mappings, shadows ---------------------------------------------------------------------------------

CREATE TABLE customers (
  tenant_id           text COLLATE "C" NOT NULL,
  environment_id      text COLLATE "C" NOT NULL,
  id                  text COLLATE "C" NOT NULL,
  external_id         text COLLATE "C" NOT NULL CHECK (external_id <> ''),
  name                text NOT NULL,
  email               text NOT NULL,
  contact             text NOT NULL,
  address_line1       text NOT NULL,
  address_line2       text NOT NULL,
  address_city        text NOT NULL,
  address_state       text NOT NULL,
  address_postal_code text NOT NULL,
  address_country     text NOT NULL CHECK (address_country ~ '^([A-Z]{2})?$'),
  metadata            jsonb NOT NULL,
  status              text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  version             bigint NOT NULL CHECK (version > 0),
  created_at          timestamptz NOT NULL,
  updated_at          timestamptz NOT NULL,
  created_by          text NOT NULL,
  updated_by          text NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX customers_external_id ON customers (tenant_id, environment_id, external_id)
  WHERE status <> 'deleted';
CREATE INDEX customers_email ON customers (tenant_id, environment_id, email);
CREATE INDEX customers_newest ON customers (tenant_id, environment_id, created_at DESC, id DESC);

CREATE TABLE entity_integration_mappings (
  tenant_id          text COLLATE "C" NOT NULL,
  environment_id     text COLLATE "C" NOT NULL,
  id                 text COLLATE "C" NOT NULL,
  entity_type        text COLLATE "C" NOT NULL,
  entity_id          text COLLATE "C" NOT NULL,
  provider_type      text COLLATE "C" NOT NULL,
  provider_entity_id text COLLATE "C" NOT NULL,
  metadata           jsonb NOT NULL,
  status             text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
) WITH (fillfactor = 85);
-- The selective column comes right after the scope: before the first statistics the planner must not be able to take
-- the wrong one of the two.
-- Two-sided: one live mapping per entity, and one per Stripe id (a product is a plan's and its twin addon's).
CREATE UNIQUE INDEX mappings_by_entity
  ON entity_integration_mappings (tenant_id, environment_id, entity_id, entity_type, provider_type)
  WHERE status = 'published';
CREATE UNIQUE INDEX mappings_by_provider
  ON entity_integration_mappings (tenant_id, environment_id, provider_entity_id, entity_type, provider_type)
  WHERE status = 'published';

-- The shadow: the last state seen of each mirrored Stripe object, and when it was true.
CREATE TABLE stripe_objects (
  tenant_id       text COLLATE "C" NOT NULL,
  environment_id  text COLLATE "C" NOT NULL,
  object_type     text COLLATE "C" NOT NULL,
  stripe_id       text COLLATE "C" NOT NULL,
  entity_id       text COLLATE "C" NOT NULL,
  state           text NOT NULL,
  true_from       timestamptz NOT NULL,
  true_to         timestamptz NOT NULL,
  deleted         boolean NOT NULL,          -- the tombstone
  needs_reconcile boolean NOT NULL,
  version         bigint NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, environment_id, object_type, stripe_id),
  CHECK (true_from <= true_to)
) WITH (fillfactor = 85);

-- --- audit --------------------------------------------------------------------------------------------------------

CREATE SEQUENCE audit_seq;
CREATE TABLE audit_log (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  entity_type    text COLLATE "C" NOT NULL,
  entity_id      text COLLATE "C" NOT NULL,
  seq            bigint NOT NULL DEFAULT nextval('audit_seq'),
  action         text NOT NULL,
  actor          text NOT NULL,
  before         json NOT NULL,
  after          json NOT NULL,
  request_id     text NOT NULL,
  at             timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, entity_type, entity_id, seq)
);

-- --- row-level security -------------------------------------------------------------------------------------------

-- A connection of the role flexsync_app sees the tenant and environment that its transaction has named, and nothing
-- where it has named none.
CREATE FUNCTION flexsync_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT current_setting('flexsync.tenant_id', true) $$;
CREATE FUNCTION flexsync_environment() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT current_setting('flexsync.environment_id', true) $$;

-- Forces row-level security on one table (every migration calls it for its own tables).
CREATE FUNCTION flexsync_protect(tenant_table name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  in_scope text := 'tenant_id = flexsync_tenant()';
BEGIN
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
  -- Forced security binds the owner too; foreign-key checks and later migrations run as the owner.
  EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', tenant_table);
  IF tenant_table <> 'environments'
     AND EXISTS (SELECT 1 FROM pg_attribute
                 WHERE attrelid = format('%I', tenant_table)::regclass AND attname = 'environment_id') THEN
    in_scope := in_scope || ' AND environment_id = flexsync_environment()';
  END IF;
  EXECUTE format('CREATE POLICY tenant ON %I TO flexsync_app USING (%s) WITH CHECK (%s)',
                 tenant_table, in_scope, in_scope);
  EXECUTE format('GRANT SELECT, INSERT ON %I TO flexsync_app', tenant_table);
END $$;
REVOKE ALL ON FUNCTION flexsync_protect(name) FROM PUBLIC;

SELECT flexsync_protect(c.relname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'tenant_id';

GRANT UPDATE ON tenants, environments, api_keys, connections, parked_events, inbox_outcomes, tenant_owner,
                inbox_watermarks TO flexsync_app;
GRANT DELETE ON parked_events TO flexsync_app;
GRANT USAGE ON SEQUENCE audit_seq TO flexsync_app;

-- Intake writes many tenants in one statement; it reads back nothing but keys.
CREATE POLICY intake_insert ON inbox FOR INSERT TO flexsync_intake WITH CHECK (true);
CREATE POLICY intake_select ON inbox FOR SELECT TO flexsync_intake USING (true);
GRANT INSERT ON inbox TO flexsync_intake;
GRANT SELECT (tenant_id, environment_id, event_id, seq) ON inbox TO flexsync_intake;
GRANT USAGE ON SEQUENCE inbox_seq TO flexsync_intake;

-- The applying writer merges change sets of many tenants; tenant, epoch and version are checked in its statements.
DO $$
DECLARE
  written text;
BEGIN
  FOREACH written IN ARRAY ARRAY['tenant_owner', 'inbox_watermarks', 'inbox_outcomes', 'parked_events',
                                 'inbox_attempts', 'customers', 'entity_integration_mappings', 'stripe_objects',
                                 'audit_log'] LOOP
    EXECUTE format('CREATE POLICY apply ON %I TO flexsync_apply USING (true) WITH CHECK (true)', written);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO flexsync_apply', written);
  END LOOP;
END $$;
GRANT UPDATE ON tenant_owner, inbox_watermarks, inbox_outcomes, parked_events, customers,
                entity_integration_mappings, stripe_objects TO flexsync_apply;
GRANT DELETE ON parked_events TO flexsync_apply;
GRANT USAGE ON SEQUENCE audit_seq TO flexsync_apply;

-- --- what must cross tenants --------------------------------------------------------------------------------------

-- Functions of a role that may read no more than they need.
CREATE POLICY lookup ON api_keys FOR SELECT TO flexsync_lookup USING (true);
CREATE POLICY lookup ON connections FOR SELECT TO flexsync_lookup USING (true);
CREATE POLICY lookup ON inbox FOR SELECT TO flexsync_lookup USING (true);
CREATE POLICY lookup ON inbox_outcomes FOR SELECT TO flexsync_lookup USING (true);
CREATE POLICY lookup ON inbox_watermarks FOR SELECT TO flexsync_lookup USING (true);
CREATE POLICY lookup ON parked_events FOR SELECT TO flexsync_lookup USING (true);
CREATE POLICY lookup ON environments FOR SELECT TO flexsync_lookup USING (true);
GRANT SELECT (tenant_id, environment_id, id, key_hash, type, status, expires_at) ON api_keys TO flexsync_lookup;
GRANT SELECT (tenant_id, environment_id, id, provider_type, account_id, livemode, metadata, status)
  ON connections TO flexsync_lookup;
GRANT SELECT (tenant_id, environment_id, seq, received_at, ignored_reason) ON inbox TO flexsync_lookup;
GRANT SELECT (tenant_id, environment_id, seq) ON inbox_outcomes, inbox_watermarks TO flexsync_lookup;
GRANT SELECT (tenant_id, environment_id, state, next_attempt_at) ON parked_events TO flexsync_lookup;
GRANT SELECT (tenant_id, environment_id, status) ON environments TO flexsync_lookup;

-- Whose key is this?
CREATE FUNCTION lookup_api_key(wanted_hash text)
  RETURNS TABLE (tenant_id text, environment_id text, id text, type text, expires_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT k.tenant_id, k.environment_id, k.id, k.type, k.expires_at FROM api_keys k
        WHERE k.key_hash = wanted_hash AND k.status = 'published' $$;

-- Which connection does an event of the global address belong to? By account and livemode; without an account, the
-- one marked default.
CREATE FUNCTION lookup_connections(wanted_account text)
  RETURNS TABLE (tenant_id text, environment_id text, id text, livemode boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT c.tenant_id, c.environment_id, c.id, c.livemode FROM connections c
        WHERE c.provider_type = 'stripe' AND c.status = 'published'
          AND CASE WHEN wanted_account = '' THEN c.metadata ->> 'default' = 'true'
                   ELSE c.account_id = wanted_account END $$;

-- OFFSET 0 below: the look-up stays a look-up by key. As a join, planned before the first statistics, it went over
-- the whole history for each row.

-- Who has something to do: rows beyond the watermark that are not settled, or parked ones that are due.
CREATE FUNCTION tenants_with_work(due timestamptz)
  RETURNS TABLE (tenant_id text, environment_id text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT e.tenant_id, e.environment_id FROM environments e
          LEFT JOIN inbox_watermarks w USING (tenant_id, environment_id)
        -- The newest first: the watermark lags by what two sweeps have settled, all of which would be passed over.
        WHERE (SELECT true FROM inbox i
               WHERE i.tenant_id = e.tenant_id AND i.environment_id = e.environment_id
                 AND i.seq > coalesce(w.seq, 0) AND i.ignored_reason = ''
                 AND NOT EXISTS (SELECT 1 FROM inbox_outcomes o
                                 WHERE o.tenant_id = i.tenant_id AND o.environment_id = i.environment_id
                                   AND o.seq = i.seq OFFSET 0)
               ORDER BY i.seq DESC LIMIT 1)
           OR EXISTS (SELECT 1 FROM parked_events p
                      WHERE p.tenant_id = e.tenant_id AND p.environment_id = e.environment_id
                        AND p.state IN ('retrying', 'blocked', 'redriven') AND p.next_attempt_at <= due) $$;

-- For the metrics: how many are unsettled, since when, and how many are dead.
CREATE FUNCTION inbox_depths()
  RETURNS TABLE (tenant_id text, environment_id text, depth bigint, oldest timestamptz, dead bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT e.tenant_id, e.environment_id, d.depth, d.oldest,
               (SELECT count(*) FROM parked_events p
                WHERE p.tenant_id = e.tenant_id AND p.environment_id = e.environment_id AND p.state = 'dead')
        FROM environments e
          LEFT JOIN inbox_watermarks w USING (tenant_id, environment_id)
          CROSS JOIN LATERAL (
            SELECT count(*) AS depth, min(i.received_at) AS oldest FROM inbox i
            WHERE i.tenant_id = e.tenant_id AND i.environment_id = e.environment_id
              AND i.seq > coalesce(w.seq, 0) AND i.ignored_reason = ''
              AND NOT EXISTS (SELECT 1 FROM inbox_outcomes o
                              WHERE o.tenant_id = i.tenant_id AND o.environment_id = i.environment_id
                                AND o.seq = i.seq OFFSET 0)) d $$;

DO $$
DECLARE
  signature text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO flexsync_app, flexsync_intake, flexsync_apply, flexsync_lookup',
                 current_schema());
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO flexsync_lookup', current_schema());
  FOREACH signature IN ARRAY ARRAY['lookup_api_key(text)', 'lookup_connections(text)',
                                   'tenants_with_work(timestamptz)', 'inbox_depths()'] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO flexsync_lookup', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO flexsync_app', signature);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM flexsync_lookup', current_schema());
END $$;

-- --- statistics before the first row ------------------------------------------------------------------------------

-- Until a table's first ANALYZE the planner takes any tenant and any environment for one row in 200 each, so that in
-- a young table "all rows of this tenant" looks as cheap as "the row with this key", and it may take an index for the
-- first (measured: 33 ms a look-up instead of 0.05). Rows that are analyzed and taken away again teach it better, and
-- the extended statistics that an environment has one tenant; sessions plan for unknown values
-- (plan_cache_mode = force_generic_plan), so that a tenant of yesterday's statistics is planned for like any other.
CREATE STATISTICS inbox_scope (dependencies) ON tenant_id, environment_id FROM inbox;
CREATE STATISTICS inbox_outcomes_scope (dependencies) ON tenant_id, environment_id FROM inbox_outcomes;
CREATE STATISTICS parked_events_scope (dependencies) ON tenant_id, environment_id FROM parked_events;
CREATE STATISTICS customers_scope (dependencies) ON tenant_id, environment_id FROM customers;
CREATE STATISTICS mappings_scope (dependencies) ON tenant_id, environment_id FROM entity_integration_mappings;
CREATE STATISTICS stripe_objects_scope (dependencies) ON tenant_id, environment_id FROM stripe_objects;
CREATE STATISTICS audit_log_scope (dependencies) ON tenant_id, environment_id FROM audit_log;

INSERT INTO tenants VALUES ('t', 'statistics', 'published', now(), now());
INSERT INTO environments VALUES ('t', 'e', 'statistics', 'development', 'published', now(), now());
INSERT INTO inbox (tenant_id, environment_id, seq, event_id, event_type, object_type, object_id, api_version,
                   stripe_created, received_at, request_id, payload_bytes, payload)
  SELECT 't', 'e', n, 'evt_' || n, 'customer.updated', 'customer', 'cus_' || n, '', now(), now(), '', 1, ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO inbox_outcomes SELECT 't', 'e', n, 'applied', '', now() FROM generate_series(1, 1000) AS n;
INSERT INTO parked_events
  SELECT 't', 'e', n, 'evt_' || n, 'retrying', 1, now(), '', '', now(), now() FROM generate_series(1, 1000) AS n;
INSERT INTO inbox_attempts SELECT 't', 'e', 'evt_' || n, 1, '', '', now() FROM generate_series(1, 1000) AS n;
INSERT INTO customers
  SELECT 't', 'e', 'cust_' || n, 'cus_' || n, n, n, '', '', '', '', '', '', '', '{}', 'published', 1,
         now() + n * interval '1 second', now(), '', ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO entity_integration_mappings
  SELECT 't', 'e', 'eim_' || n, 'customer', 'cust_' || n, 'stripe', 'cus_' || n, '{}', 'published', now(), now()
  FROM generate_series(1, 1000) AS n;
INSERT INTO stripe_objects
  SELECT 't', 'e', 'customer', 'cus_' || n, 'cust_' || n, '', now(), now(), false, false, 1
  FROM generate_series(1, 1000) AS n;
INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, seq, action, actor, before, after, request_id,
                       at)
  SELECT 't', 'e', 'customer', 'cust_' || n, n, 'update', 'stripe:evt_' || n, '{}', '{}', '', now()
  FROM generate_series(1, 1000) AS n;
ANALYZE inbox, inbox_outcomes, parked_events, inbox_attempts, customers, entity_integration_mappings, stripe_objects,
        audit_log;
TRUNCATE inbox, inbox_outcomes, parked_events, inbox_attempts, customers, entity_integration_mappings, stripe_objects,
         audit_log;
DELETE FROM environments;
DELETE FROM tenants;
