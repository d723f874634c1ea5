-- The outbox: what is to be told to Stripe, durable before the first byte is sent.

-- Drawn when a row is inserted. All changes of one entity go through its actor one after the other, so that of one
-- entity it is the order of the commits.
CREATE SEQUENCE outbox_seq;
CREATE TABLE outbox (
  tenant_id       text COLLATE "C" NOT NULL,
  environment_id  text COLLATE "C" NOT NULL,
  seq             bigint NOT NULL DEFAULT nextval('outbox_seq'),
  id              text COLLATE "C" NOT NULL,
  entity_type     text COLLATE "C" NOT NULL,
  entity_id       text COLLATE "C" NOT NULL,
  operation       text COLLATE "C" NOT NULL CHECK (operation IN
                    ('create_customer', 'update_customer', 'delete_customer')),
  body            text NOT NULL,  -- never updated: a resend repeats it byte by byte
  idempotency_key text COLLATE "C" NOT NULL CHECK (idempotency_key <> ''),
  fields          text[] NOT NULL,
  state           text COLLATE "C" NOT NULL CHECK (state IN ('ready', 'settled', 'refused', 'superseded')),
  attempts        integer NOT NULL CHECK (attempts >= 0),
  next_attempt_at timestamptz NOT NULL,
  look_first      boolean NOT NULL,
  error_code      text NOT NULL,
  error_message   text NOT NULL,
  request_id      text NOT NULL,
  keyed_at        timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  settled_at      timestamptz,
  PRIMARY KEY (tenant_id, environment_id, seq),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments,
  CHECK (state <> 'ready' OR settled_at IS NULL)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX outbox_id ON outbox (tenant_id, environment_id, id);
CREATE UNIQUE INDEX outbox_idempotency_key ON outbox (tenant_id, environment_id, idempotency_key);
CREATE INDEX outbox_by_entity ON outbox (tenant_id, environment_id, entity_id, seq);
-- What is open, however long the history grows: each entity's intents in their order, those that are due in theirs.
CREATE INDEX outbox_heads ON outbox (tenant_id, environment_id, entity_id, seq) WHERE state = 'ready';
CREATE INDEX outbox_due ON outbox (tenant_id, environment_id, next_attempt_at, seq) WHERE state = 'ready';
CREATE INDEX outbox_refused ON outbox (tenant_id, environment_id, seq) WHERE state = 'refused';

-- --- who may do what ----------------------------------------------------------------------------------------------

SELECT flexsync_protect('outbox');

CREATE POLICY apply ON outbox TO flexsync_apply USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON outbox TO flexsync_apply;
GRANT USAGE ON SEQUENCE outbox_seq TO flexsync_apply;

CREATE POLICY lookup ON outbox FOR SELECT TO flexsync_lookup USING (true);
GRANT SELECT (tenant_id, environment_id, state, next_attempt_at, created_at) ON outbox TO flexsync_lookup;

-- --- what must cross tenants --------------------------------------------------------------------------------------

-- Who has something to send?
CREATE FUNCTION tenants_with_outbox(due timestamptz)
  RETURNS TABLE (tenant_id text, environment_id text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT e.tenant_id, e.environment_id FROM environments e
        WHERE EXISTS (SELECT 1 FROM outbox o
                      WHERE o.tenant_id = e.tenant_id AND o.environment_id = e.environment_id
                        AND o.state = 'ready' AND o.next_attempt_at <= due OFFSET 0) $$;

-- For the metrics: how many are not sent yet, since when, and how many Stripe has refused.
CREATE FUNCTION outbox_depths()
  RETURNS TABLE (tenant_id text, environment_id text, ready bigint, oldest timestamptz, refused bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT e.tenant_id, e.environment_id, r.ready, r.oldest,
               (SELECT count(*) FROM outbox o
                WHERE o.tenant_id = e.tenant_id AND o.environment_id = e.environment_id AND o.state = 'refused')
        FROM environments e
          CROSS JOIN LATERAL (
            SELECT count(*) AS ready, min(o.created_at) AS oldest FROM outbox o
            WHERE o.tenant_id = e.tenant_id AND o.environment_id = e.environment_id AND o.state = 'ready') r $$;

DO $$
DECLARE
  signature text;
BEGIN
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO flexsync_lookup', current_schema());
  FOREACH signature IN ARRAY ARRAY['tenants_with_outbox(timestamptz)', 'outbox_depths()'] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO flexsync_lookup', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO flexsync_app', signature);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM flexsync_lookup', current_schema());
END $$;

-- --- statistics before the first row ------------------------------------------------------------------------------

-- As at the end of 0001; most intents are history.
CREATE STATISTICS outbox_scope (dependencies) ON tenant_id, environment_id FROM outbox;

INSERT INTO tenants VALUES ('t', 'statistics', 'published', now(), now());
INSERT INTO environments VALUES ('t', 'e', 'statistics', 'development', 'published', now(), now());
INSERT INTO outbox (tenant_id, environment_id, seq, id, entity_type, entity_id, operation, body, idempotency_key,
                    fields, state, attempts, next_attempt_at, look_first, error_code, error_message, request_id,
                    keyed_at, created_at)
  SELECT 't', 'e', n, 'intent_' || n, 'customer', 'cust_' || n, 'update_customer', 'name=' || n, 'key_' || n, '{name}',
         CASE WHEN n % 10 = 0 THEN 'ready' WHEN n % 100 = 1 THEN 'refused' ELSE 'settled' END, 1,
         now() + n * interval '1 second', false, '', '', '', now(), now() + n * interval '1 second'
  FROM generate_series(1, 1000) AS n;
ANALYZE outbox;
TRUNCATE outbox;
DELETE FROM environments WHERE tenant_id = 't';
DELETE FROM tenants WHERE tenant_id = 't';
