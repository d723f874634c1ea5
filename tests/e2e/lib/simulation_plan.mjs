// What one seed of the simulation does, decided before anything runs: which API versions, which faults, and round after
// round which operations. Nothing here depends on what happens, so a seed means the same wherever it runs.
import { seededRandom } from './wait.mjs';

export const hour = 3_600;
export const day = 24 * hour;

const silentEach = 4; // of so many seeds one has changes that no event tells of

const startEarliest = 1_800_000_000; // 2027: far from the server's own clock
const startSpread = 366 * day; // every month has its own ends
const roundsMin = 8;
const roundsSpread = 12;
const stepsMax = 4; // at once

// The oldest shapes, each border in between, the newest.
const versions = ['2020-03-02', '2020-08-27', '2022-11-15', '2023-10-16', '2024-04-10', '2024-06-20',
  '2025-02-24.acacia', '2025-03-31.basil', '2025-09-30.clover', '2026-03-25.dahlia', '2026-10-28.endive'];

// How often each is drawn, see simulation_operations.mjs.
const weights = {
  createCustomer: 4,
  updateCustomer: 6,
  deleteCustomer: 1,
  createProduct: 2,
  updateProduct: 3,
  deleteProduct: 1,
  createPrice: 3,
  updatePrice: 2,
  createPlan: 1,
  updatePlan: 1,
  deletePlan: 1,
  subscribe: 6,
  subscribeToMany: 0.2,
  updateSubscription: 8,
  changeItems: 8,
  updateEnded: 2,
  cancel: 1,
  endLater: 3,
  pause: 1,
  resume: 2,
  pay: 4,
  createOurs: 3,
  updateOurs: 6,
  deleteOurs: 1,
  letGo: 0.5,
  syncOurs: 1,
};

const clockSteps = [0, 0, 0, 1, 1, 2, 60, 10 * 60, hour, 6 * hour, day, 4 * day, 31 * day];

// Numbers, choices and chances from one seed.
export function randomOf(seed) {
  const next = seededRandom(seed);
  const below = (n) => Math.floor(next() * n);
  return {
    next,
    below,
    chance: (share) => next() < share,
    pick: (list) => list[below(list.length)],
    weighted(table) {
      const entries = Object.entries(table);
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      return (entries.find(([, weight]) => (left -= weight) < 0) ?? entries.at(-1))[0];
    },
    seed: () => below(2 ** 31),
  };
}

// How webhooks go astray: drawn anew for each fault, so that many seeds have one alone and some all of them.
function deliveryFaults(random) {
  const often = (share) => (random.chance(0.5) ? random.next() * share : 0);
  const faults = { seed: random.seed(), duplicate: often(0.3) };
  const drop = often(0.2);
  const reorder = often(0.5);
  const delay = often(0.2);
  return {
    ...faults,
    ...(drop > 0 && { drop, lost: random.chance(0.3) }),
    ...(reorder > 0 && { reorder, ...(random.chance(0.7) && { reorder_max_s: 600 }) }),
    ...(delay > 0 && { delay, ...(random.chance(0.7) ? { delay_max_s: 3 * day } : { delay_ms_max: 100 }) }),
  };
}

const apiFaultKinds = [
  { kind: 'global-rate' },
  { kind: 'global-concurrency' },
  { kind: 'endpoint-rate' },
  { kind: 'endpoint-concurrency' },
  { kind: 'resource-specific' },
  { kind: 'lock_timeout' },
  { status: 500 },
  { status: 500, after: true },
  { status: 503, after: true },
  { reset: true },
  { reset: true, after: true },
  { delay_ms: 100 },
];

// Of one round, each on the server's next call to Stripe that it fits; few, so that not every call waits.
function apiFaults(random) {
  return random.chance(0.3)
    ? Array.from({ length: 1 + random.below(2) }, () => ({ ...random.pick(apiFaultKinds), seed: random.seed() }))
    : [];
}

function rounds(random) {
  const first = ['createProduct', 'createPrice', 'createPrice', 'createCustomer', 'subscribe'];
  const wanted = roundsMin + random.below(roundsSpread);
  return [
    ...first.map((name) => ({ steps: [{ name, seed: random.seed() }], apiFaults: [], clock: 0 })),
    ...Array.from({ length: wanted }, () => ({
      steps: Array.from({ length: 1 + random.below(stepsMax) }, () => ({
        name: random.weighted(weights),
        seed: random.seed(),
      })),
      apiFaults: apiFaults(random),
      clock: random.pick(clockSteps),
    })),
  ];
}

export function planOf(seed) {
  const random = randomOf(Math.imul(seed, 0x9e3779b1) >>> 0); // neighbours have nothing in common
  return {
    seed,
    start: startEarliest + random.below(startSpread),
    endpointVersion: random.pick(versions),
    accountVersion: random.pick(versions),
    throughClient: seed % 2 === 0, // else plain forms
    deliveryFaults: deliveryFaults(random),
    silence: seed % silentEach === 0 ? { probability: 0.05, seed } : {},
    rounds: rounds(random),
  };
}
