-- How far Stripe's list of events was read: everything before the cursor is in the inbox, whatever became of webhooks.

CREATE TABLE catch_up_cursors (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  connection_id  text COLLATE "C" NOT NULL,  -- another connection may be another account: it begins anew
  cursor_at      timestamptz NOT NULL,
  due_at         timestamptz NOT NULL,  -- by then whoever owns the tenant has begun another walk
  revision       bigint NOT NULL,       -- rises when the cursor is set from outside: a walk under way moves it no more
  PRIMARY KEY (tenant_id, environment_id),
  FOREIGN KEY (tenant_id, environment_id, connection_id) REFERENCES connections
);

SELECT flexsync_protect('catch_up_cursors');
GRANT UPDATE ON catch_up_cursors TO flexsync_app;

-- --- what must cross tenants --------------------------------------------------------------------------------------

CREATE POLICY lookup ON catch_up_cursors FOR SELECT TO flexsync_lookup USING (true);
GRANT SELECT (tenant_id, environment_id, connection_id, due_at) ON catch_up_cursors TO flexsync_lookup;

-- Whose list of events is to be read, though nothing else wakes them?
CREATE FUNCTION tenants_to_catch_up(due timestamptz)
  RETURNS TABLE (tenant_id text, environment_id text)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT c.tenant_id, c.environment_id FROM connections c
        WHERE c.provider_type = 'stripe' AND c.status = 'published'
          AND NOT EXISTS (SELECT 1 FROM catch_up_cursors k
                          WHERE k.tenant_id = c.tenant_id AND k.environment_id = c.environment_id
                            AND k.connection_id = c.id AND k.due_at > due OFFSET 0) $$;

DO $$
BEGIN
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO flexsync_lookup', current_schema());
  ALTER FUNCTION tenants_to_catch_up(timestamptz) OWNER TO flexsync_lookup;
  REVOKE ALL ON FUNCTION tenants_to_catch_up(timestamptz) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION tenants_to_catch_up(timestamptz) TO flexsync_app;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM flexsync_lookup', current_schema());
END $$;

-- --- statistics before the first row (see migration 0001) ---------------------------------------------------------

CREATE STATISTICS catch_up_cursors_scope (dependencies) ON tenant_id, environment_id FROM catch_up_cursors;

INSERT INTO tenants VALUES ('t', 'statistics', 'published', now(), now());
INSERT INTO environments
  SELECT 't', 'e' || n, 'statistics', 'development', 'published', now(), now() FROM generate_series(1, 1000) AS n;
INSERT INTO connections
  SELECT 't', 'e' || n, 'conn_' || n, 'statistics', 'stripe', '', NULL, '{}', '{}', '{}', 'published', '', '', now(),
         now()
  FROM generate_series(1, 1000) AS n;
INSERT INTO catch_up_cursors
  SELECT 't', 'e' || n, 'conn_' || n, now() + n * interval '1 second', now() + n * interval '1 second', 0
  FROM generate_series(1, 1000) AS n;
ANALYZE catch_up_cursors;
TRUNCATE catch_up_cursors;
DELETE FROM connections WHERE tenant_id = 't';
DELETE FROM environments WHERE tenant_id = 't';
DELETE FROM tenants WHERE tenant_id = 't';
