// What must hold of plans, addons, prices and subscriptions in the database after any fault: all of Stripe's are here,
// once, and equal. The rules stand here once more, so that a mistake in the server's is seen.
import assert from 'node:assert/strict';

const statuses = { canceled: 'cancelled', incomplete_expired: 'inactive' }; // the others are the same word
const periods = { day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'ANNUAL' };

const instant = (seconds) => (seconds ? new Date(seconds * 1000).toISOString() : null);
const instantOf = (time) => (time ? new Date(time).toISOString() : null);
const statusOf = ({ active }) => (active ? 'published' : 'archived');
const byId = (rows, key) => new Map(rows.map((row) => [row[key], row]));

export class CatalogLedger {
  constructor(ledger) {
    Object.assign(this, { ledger, cluster: ledger.cluster, own: ledger.own, of: ledger.of });
  }

  // `wanted`: Stripe's objects, each a list; `planItems`: subscription → the item that is the plan's.
  async assertEqual({ products, prices, subscriptions }, planItems) {
    const ids = (objects) => objects.map(({ id }) => id);
    await this.ledger.assertMappingsAreBijection(ids(products), 'plan');
    await this.ledger.assertMappingsAreBijection(ids(products), 'addon');
    await this.ledger.assertMappingsAreBijection(ids(subscriptions), 'subscription');
    const plans = await this.mapped('plan', 'plans');
    const addons = await this.mapped('addon', 'addons');
    for (const product of products) {
      const fields = { name: product.name, description: product.description ?? '', status: statusOf(product) };
      assert.deepEqual(shown(plans.get(product.id)), fields, `the plan of ${product.id}`);
      assert.deepEqual(shown(addons.get(product.id)), fields, `the addon of ${product.id}`);
      assert.equal(addons.get(product.id).plan_id, plans.get(product.id).id, `the twins of ${product.id}`);
    }
    await this.assertPricesEqual(prices, plans);
    await this.assertSubscriptionsEqual(subscriptions, planItems, plans, addons);
  }

  // {Stripe id → our row}; as many rows as mappings.
  async mapped(type, table) {
    const rows = await this.cluster.rows(
      `SELECT m.provider_entity_id AS stripe_id, e.* FROM (SELECT * FROM ${table} WHERE ${this.own}) e
       JOIN (SELECT * FROM entity_integration_mappings WHERE ${this.own}) m ON m.entity_id = e.id
       WHERE m.entity_type = '${type}' AND m.status = 'published'`,
    );
    const total = await this.cluster.value(`SELECT count(*) FROM ${table} WHERE ${this.own}`);
    assert.equal(rows.length, total, `${table} that are mapped to nothing`);
    return byId(rows, 'stripe_id');
  }

  async assertPricesEqual(prices, plans) {
    const ours = byId(await this.cluster.rows(`SELECT *, amount::text FROM prices WHERE ${this.own}`), 'id');
    assert.deepEqual([...ours.keys()].sort(), prices.map(({ id }) => id).sort(), 'the prices there are');
    for (const price of prices) {
      const row = ours.get(price.id);
      assert.deepEqual(
        [row.plan_id, row.currency, Number(row.amount), row.billing_period, row.display_name, row.status],
        [
          plans.get(price.product).id,
          price.currency,
          price.unit_amount / 100,
          periods[price.recurring.interval],
          price.nickname ?? '',
          statusOf(price),
        ],
        price.id,
      );
    }
  }

  async assertSubscriptionsEqual(subscriptions, planItems, plans, addons) {
    const ours = await this.mapped('subscription', 'subscriptions');
    const items = await this.cluster.rows(`SELECT * FROM subscription_addons WHERE ${this.own}`);
    const customers = byId(
      await this.cluster.rows(`SELECT * FROM stripe_objects WHERE ${this.own} AND object_type = 'customer'`),
      'stripe_id',
    );
    for (const subscription of subscriptions) {
      const { id } = subscription;
      const row = ours.get(id);
      const plan = subscription.items.data.find((item) => item.id === planItems.get(id));
      const wanted = {
        subscription_status: statuses[subscription.status] ?? subscription.status,
        customer_id: customers.get(subscription.customer).entity_id,
        plan_id: plans.get(plan.price.product).id,
        plan_item_id: plan.id,
        price_id: plan.price.id,
        quantity: plan.quantity,
        cancel_at_period_end: subscription.cancel_at_period_end,
      };
      const fields = Object.fromEntries(Object.keys(wanted).map((name) => [name, row[name]]));
      assert.deepEqual(fields, wanted, id);
      assert.equal(instantOf(row.cancelled_at), instant(subscription.canceled_at), `${id}: cancelled_at`);
      assert.equal(instantOf(row.end_date), instant(subscription.ended_at), `${id}: end_date`);
      assert.deepEqual(
        items
          .filter((item) => item.subscription_id === row.id)
          .map((item) => [item.item_id, item.addon_id, item.price_id, item.quantity])
          .sort(),
        subscription.items.data
          .filter((item) => item.id !== plan.id)
          .map((item) => [item.id, addons.get(item.price.product).id, item.price.id, item.quantity])
          .sort(),
        `${id}: its addons`,
      );
    }
  }
}

function shown({ name, description, status }) {
  return { name, description, status };
}
