import type { ParamValue } from './distribution.js';
import type { FrozenTrial } from './frozen-trial.js';

/** Whether the trial has, or waits with, these very parameters; numbers compare within a relative 1e-5. */
export function sameParams(trial: FrozenTrial, params: Readonly<Record<string, ParamValue>>): boolean {
  const existing = (trial.systemAttrs.fixed_params ?? trial.params) as Readonly<Record<string, ParamValue>>;
  const names = Object.keys(params);
  if (names.length !== Object.keys(existing).length) return false;
  return names.every((name) => Object.hasOwn(existing, name) && same(params[name]!, existing[name]!));
}

function same(a: ParamValue, b: ParamValue): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Number.isNaN(a) || Math.abs(a - b) <= 1e-5 * Math.abs(b);
}
