-- The catalog: plans, their twin addons, their prices; and the subscriptions to them.

CREATE TABLE plans (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  lookup_key     text COLLATE "C" NOT NULL,
  name           text NOT NULL,
  description    text NOT NULL,
  metadata       jsonb NOT NULL,
  status         text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  version        bigint NOT NULL CHECK (version > 0),
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  created_by     text NOT NULL,
  updated_by     text NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
) WITH (fillfactor = 85);
CREATE INDEX plans_newest ON plans (tenant_id, environment_id, created_at DESC, id DESC);
CREATE INDEX plans_lookup_key ON plans (tenant_id, environment_id, lookup_key) WHERE lookup_key <> '';

CREATE TABLE addons (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  id             text COLLATE "C" NOT NULL,
  plan_id        text COLLATE "C" NOT NULL,
  lookup_key     text COLLATE "C" NOT NULL,
  name           text NOT NULL,
  description    text NOT NULL,
  metadata       jsonb NOT NULL,
  status         text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  version        bigint NOT NULL CHECK (version > 0),
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  created_by     text NOT NULL,
  updated_by     text NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id, plan_id) REFERENCES plans
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX addons_plan ON addons (tenant_id, environment_id, plan_id);
CREATE UNIQUE INDEX addons_lookup_key ON addons (tenant_id, environment_id, lookup_key)
  WHERE status <> 'deleted' AND lookup_key <> '';
CREATE INDEX addons_newest ON addons (tenant_id, environment_id, created_at DESC, id DESC);

-- Stripe's, under Stripe's ids. No foreign key to plans: a price may come before its product.
CREATE TABLE prices (
  tenant_id            text COLLATE "C" NOT NULL,
  environment_id       text COLLATE "C" NOT NULL,
  id                   text COLLATE "C" NOT NULL,
  plan_id              text COLLATE "C" NOT NULL,
  currency             text COLLATE "C" NOT NULL,
  amount               numeric,
  billing_period       text COLLATE "C" NOT NULL CHECK (billing_period IN
                         ('DAILY', 'WEEKLY', 'MONTHLY', 'ANNUAL', 'ONETIME')),
  billing_period_count integer NOT NULL CHECK (billing_period_count > 0),
  metered              boolean NOT NULL,
  tier_mode            text COLLATE "C" NOT NULL CHECK (tier_mode IN ('', 'SLAB', 'VOLUME')),
  tiers                jsonb NOT NULL,  -- [{up_to, unit_amount, flat_amount}], decimals as text
  transform_quantity   jsonb,           -- {divide_by, round}
  display_name         text NOT NULL,
  metadata             jsonb NOT NULL,
  status               text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  version              bigint NOT NULL CHECK (version > 0),
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id) REFERENCES environments
) WITH (fillfactor = 85);
CREATE INDEX prices_by_plan ON prices (tenant_id, environment_id, plan_id, created_at DESC, id DESC);

CREATE TABLE subscriptions (
  tenant_id            text COLLATE "C" NOT NULL,
  environment_id       text COLLATE "C" NOT NULL,
  id                   text COLLATE "C" NOT NULL,
  customer_id          text COLLATE "C" NOT NULL,
  plan_id              text COLLATE "C" NOT NULL,
  subscription_status  text COLLATE "C" NOT NULL CHECK (subscription_status IN
                         ('active', 'trialing', 'past_due', 'unpaid', 'paused', 'incomplete', 'inactive', 'cancelled')),
  currency             text COLLATE "C" NOT NULL,
  billing_period       text COLLATE "C" NOT NULL CHECK (billing_period IN
                         ('DAILY', 'WEEKLY', 'MONTHLY', 'ANNUAL', 'ONETIME')),
  billing_period_count integer NOT NULL CHECK (billing_period_count > 0),
  plan_item_id         text COLLATE "C" NOT NULL,
  price_id             text COLLATE "C" NOT NULL,
  quantity             bigint,
  start_date           timestamptz,
  end_date             timestamptz,
  current_period_start timestamptz,
  current_period_end   timestamptz,
  trial_start          timestamptz,
  trial_end            timestamptz,
  billing_anchor       timestamptz,
  cancel_at            timestamptz,
  cancelled_at         timestamptz,
  cancel_at_period_end boolean NOT NULL,
  collection_paused    boolean NOT NULL,
  collection_method    text NOT NULL,
  metadata             jsonb NOT NULL,
  seen_items           jsonb NOT NULL,  -- [[item, created, last seen]], times in microseconds since 1970
  status               text COLLATE "C" NOT NULL CHECK (status IN ('published', 'archived', 'deleted')),
  version              bigint NOT NULL CHECK (version > 0),
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL,
  created_by           text NOT NULL,
  updated_by           text NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, id),
  FOREIGN KEY (tenant_id, environment_id, customer_id) REFERENCES customers,
  FOREIGN KEY (tenant_id, environment_id, plan_id) REFERENCES plans
) WITH (fillfactor = 85);
CREATE INDEX subscriptions_newest ON subscriptions (tenant_id, environment_id, created_at DESC, id DESC);
CREATE INDEX subscriptions_by_customer
  ON subscriptions (tenant_id, environment_id, customer_id, created_at DESC, id DESC);
CREATE INDEX subscriptions_by_plan ON subscriptions (tenant_id, environment_id, plan_id, created_at DESC, id DESC);

-- The addons that are attached now; what was detached is in the audit log.
CREATE TABLE subscription_addons (
  tenant_id       text COLLATE "C" NOT NULL,
  environment_id  text COLLATE "C" NOT NULL,
  subscription_id text COLLATE "C" NOT NULL,
  item_id         text COLLATE "C" NOT NULL,
  addon_id        text COLLATE "C" NOT NULL,
  price_id        text COLLATE "C" NOT NULL,
  quantity        bigint,
  start_date      timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, environment_id, subscription_id, item_id),
  FOREIGN KEY (tenant_id, environment_id, subscription_id) REFERENCES subscriptions,
  FOREIGN KEY (tenant_id, environment_id, addon_id) REFERENCES addons
) WITH (fillfactor = 85);
CREATE INDEX subscription_addons_by_addon ON subscription_addons (tenant_id, environment_id, addon_id);

-- --- parked events know what they are about, and what they wait for -----------------------------------------------

-- object_type and object_id: the mirrored object whose whole state the event carries, and stripe_created when that
-- was true; '' for a deletion, which nothing supersedes (a newer state of a subscription that has ended would, but that
-- is left to its redrive), and for events that are facts. blocked_on: the Stripe id that must be mapped first, and to
-- which of our types ("customer", "plan").
ALTER TABLE parked_events
  ADD COLUMN object_type     text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN object_id       text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN stripe_created  timestamptz NOT NULL DEFAULT 'epoch',
  ADD COLUMN blocked_on_type text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN blocked_on_id   text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX parked_events_by_object ON parked_events (tenant_id, environment_id, object_id) WHERE object_id <> '';
CREATE INDEX parked_events_blocked_on ON parked_events (tenant_id, environment_id, blocked_on_id)
  WHERE blocked_on_id <> '';

-- Whose whole state does an event of this type carry? (Of a price the inbox row names the product, since that decides
-- which actor it goes to.)
CREATE FUNCTION state_event_object_type(event_type text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT CASE
          WHEN event_type IN ('customer.created', 'customer.updated') THEN 'customer'
          WHEN event_type IN ('product.created', 'product.updated') THEN 'product'
          WHEN event_type IN ('price.created', 'price.updated', 'plan.created', 'plan.updated') THEN 'price'
          WHEN event_type IN ('customer.subscription.created', 'customer.subscription.updated',
                              'customer.subscription.paused', 'customer.subscription.resumed',
                              'customer.subscription.pending_update_applied',
                              'customer.subscription.pending_update_expired') THEN 'subscription'
          ELSE '' END $$;

UPDATE parked_events p SET object_type = i.object_type, object_id = i.object_id, stripe_created = i.stripe_created
FROM inbox i
WHERE i.tenant_id = p.tenant_id AND i.environment_id = p.environment_id AND i.event_id = p.event_id
  AND i.object_type = state_event_object_type(i.event_type);

-- Whose state an event that is parked carries, and when that was true; the applying writer does not read webhooks.
-- `own` is the object where the one who parks knows better than the row. An event that the comparison with Stripe made
-- may be about any object, and any newer state makes it needless.
GRANT SELECT (event_id, event_type, object_type, object_id, stripe_created) ON inbox TO flexsync_lookup;
CREATE FUNCTION parked_event_state(wanted_tenant text, wanted_environment text, wanted_event text, own_type text,
                                   own_id text)
  RETURNS TABLE (object_type text, object_id text, stripe_created timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
  AS $$ SELECT state.type,
               CASE WHEN state.type = '' THEN ''
                    WHEN state.type = own_type THEN own_id
                    WHEN state.type = i.object_type THEN i.object_id
                    WHEN state.type = 'price' AND i.object_type = 'plan' THEN i.object_id
                    ELSE '' END,
               i.stripe_created
        FROM inbox i, LATERAL (SELECT CASE WHEN i.event_type <> 'flexsync.reconcile'
                                             THEN state_event_object_type(i.event_type)
                                           WHEN own_type = '' THEN i.object_type
                                           ELSE own_type END AS type) AS state
        WHERE i.tenant_id = wanted_tenant AND i.environment_id = wanted_environment AND i.event_id = wanted_event $$;

DO $$
BEGIN
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO flexsync_lookup', current_schema());
  ALTER FUNCTION parked_event_state(text, text, text, text, text) OWNER TO flexsync_lookup;
  REVOKE ALL ON FUNCTION parked_event_state(text, text, text, text, text) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION parked_event_state(text, text, text, text, text) TO flexsync_apply;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM flexsync_lookup', current_schema());
END $$;

-- --- who may do what ----------------------------------------------------------------------------------------------

DO $$
DECLARE
  written text;
BEGIN
  FOREACH written IN ARRAY ARRAY['plans', 'addons', 'prices', 'subscriptions', 'subscription_addons'] LOOP
    PERFORM flexsync_protect(written::name);
    EXECUTE format('CREATE POLICY apply ON %I TO flexsync_apply USING (true) WITH CHECK (true)', written);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO flexsync_apply', written);
  END LOOP;
END $$;
GRANT DELETE ON subscription_addons TO flexsync_apply;

-- --- statistics before the first row (see migration 0001) ---------------------------------------------------------

CREATE STATISTICS plans_scope (dependencies) ON tenant_id, environment_id FROM plans;
CREATE STATISTICS addons_scope (dependencies) ON tenant_id, environment_id FROM addons;
CREATE STATISTICS prices_scope (dependencies) ON tenant_id, environment_id FROM prices;
CREATE STATISTICS subscriptions_scope (dependencies) ON tenant_id, environment_id FROM subscriptions;
CREATE STATISTICS subscription_addons_scope (dependencies) ON tenant_id, environment_id FROM subscription_addons;

INSERT INTO tenants VALUES ('t', 'statistics', 'published', now(), now());
INSERT INTO environments VALUES ('t', 'e', 'statistics', 'development', 'published', now(), now());
INSERT INTO customers
  SELECT 't', 'e', 'cust_' || n, 'cus_' || n, n, n, '', '', '', '', '', '', '', '{}', 'published', 1,
         now() + n * interval '1 second', now(), '', ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO plans
  SELECT 't', 'e', 'plan_' || n, 'key_' || n, n, '', '{}', 'published', 1, now() + n * interval '1 second', now(), '',
         ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO addons
  SELECT 't', 'e', 'addon_' || n, 'plan_' || n, 'key_' || n, n, '', '{}', 'published', 1,
         now() + n * interval '1 second', now(), '', ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO prices
  SELECT 't', 'e', 'price_' || n, 'plan_' || n % 500, 'usd', 1, 'MONTHLY', 1, false, '', '[]', NULL, '', '{}',
         'published', 1, now() + n * interval '1 second', now()
  FROM generate_series(1, 1000) AS n;
INSERT INTO subscriptions
  SELECT 't', 'e', 'subs_' || n, 'cust_' || n, 'plan_' || n % 500 + 1,
         CASE WHEN n % 4 = 0 THEN 'cancelled' ELSE 'active' END, 'usd', 'MONTHLY', 1, 'si_' || n, 'price_' || n, 1,
         now(), NULL, now(), now(), NULL, NULL, now(), NULL, NULL, false, false, '', '{}', '[]', 'published', 1,
         now() + n * interval '1 second', now(), '', ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO subscription_addons
  SELECT 't', 'e', 'subs_' || n, 'si_' || n, 'addon_' || n % 500 + 1, 'price_' || n, 1, now()
  FROM generate_series(1, 1000) AS n;
INSERT INTO inbox (tenant_id, environment_id, seq, event_id, event_type, object_type, object_id, api_version,
                   stripe_created, received_at, request_id, payload_bytes, payload)
  SELECT 't', 'e', n, 'evt_' || n, 'customer.updated', 'customer', 'cus_' || n, '', now(), now(), '', 1, ''
  FROM generate_series(1, 1000) AS n;
INSERT INTO parked_events (tenant_id, environment_id, seq, event_id, state, attempts, next_attempt_at, error_code,
                           error_message, parked_at, updated_at, object_type, object_id, stripe_created,
                           blocked_on_type, blocked_on_id)
  SELECT 't', 'e', n, 'evt_' || n, CASE WHEN n % 2 = 0 THEN 'blocked' ELSE 'retrying' END, 1, now(), '', '', now(),
         now(), 'customer', 'cus_' || n, now(), CASE WHEN n % 2 = 0 THEN 'product' ELSE '' END,
         CASE WHEN n % 2 = 0 THEN 'prod_' || n ELSE '' END
  FROM generate_series(1, 1000) AS n;
ANALYZE plans, addons, prices, subscriptions, subscription_addons, parked_events;
TRUNCATE plans, addons, prices, subscriptions, subscription_addons;
DELETE FROM parked_events WHERE tenant_id = 't';
DELETE FROM inbox WHERE tenant_id = 't';
DELETE FROM customers WHERE tenant_id = 't';
DELETE FROM environments WHERE tenant_id = 't';
DELETE FROM tenants WHERE tenant_id = 't';
