// Waiting for a condition, never for a time: every wait has a deadline and says what it waited for.
import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 10;

// Resolves to what the condition returned once that is truthy; `what` may be a function, asked when it is too late.
export async function waitFor(condition, what, ms = 20_000) {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${ms} ms in vain for ${typeof what === 'function' ? what() : what}`);
    }
    await pause(pollMs);
  }
}

// Mulberry32: the same seed gives the same numbers, in [0, 1).
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// A seed to print, or the one to replay.
export function chooseSeed(variable) {
  const given = process.env[variable];
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}
