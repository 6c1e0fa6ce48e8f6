import type { Schedule } from './schedule.js';

/** The base rate at every step. */
export function constant(): Schedule {
  return () => 1;
}
