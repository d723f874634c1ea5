-- When each environment's mirror was last compared with Stripe, and what is to be compared before that.

CREATE TABLE reconcile_walks (
  tenant_id      text COLLATE "C" NOT NULL,
  environment_id text COLLATE "C" NOT NULL,
  connection_id  text COLLATE "C" NOT NULL,  -- another connection may be another account: it begins anew
  finished_at    timestamptz NOT NULL,
  compared       bigint NOT NULL,
  different      bigint NOT NULL,
  PRIMARY KEY (tenant_id, environment_id),
  FOREIGN KEY (tenant_id, environment_id, connection_id) REFERENCES connections
);

SELECT flexsync_protect('reconcile_walks');
GRANT UPDATE ON reconcile_walks TO flexsync_app;

-- Shadows that stand until Stripe is asked; few, if any.
CREATE INDEX stripe_objects_needs_reconcile ON stripe_objects (tenant_id, environment_id, object_type, stripe_id)
  WHERE needs_reconcile;
