// Two meters that bill the same events: one counts the calls, one adds up their n; each mapped to a meter of Stripe's.
import { call } from './flexsync.mjs';

const startAgoMs = 86_400_000;

// Returns {Stripe meter id → 'count' or 'sum'}, as UsageLedger.assertBilledOnce wants it.
export async function makeMeters(server, stripe, key) {
  const made = {};
  for (const [kind, aggregation] of [['count', { type: 'COUNT' }], ['sum', { type: 'SUM', field: 'n' }]]) {
    const stripeMeter = await stripe.billing.meters.create({
      display_name: kind,
      event_name: `calls_${kind}`,
      default_aggregation: { formula: 'sum' },
    });
    const wanted = { name: kind, event_name: 'call', aggregation, reset_usage: 'BILLING_PERIOD' };
    const meter = await call(server, 'POST', '/v1/meters', wanted, key);
    const mapping = {
      meter_id: meter.id,
      provider_type: 'stripe',
      provider_meter_id: stripeMeter.id,
      sync_enabled: true,
      configuration: { scale: 0, start_at: new Date(Date.now() - startAgoMs).toISOString() },
    };
    await call(server, 'POST', '/v1/stripe/meters/mapping', mapping, key);
    made[stripeMeter.id] = kind;
  }
  return made;
}
