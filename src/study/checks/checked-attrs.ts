import type { StorageLimits } from '../storage/storage.js';
import type { FrozenTrial, Json } from '../trials/frozen-trial.js';
import { setOwn } from '../trials/set-own.js';
import { checkedJson } from './checked-json.js';
import { checkName, checkRecord } from './checked-name.js';
import { checkParam } from './checked-param.js';
import { checkReport } from './checked-report.js';

/**
 * A copy of one attribute's value, which the storage can hold along with its key.
 *
 * @param kind which attribute, for the error
 * @param others the attributes of its kind that are in use
 * @throws UserError as `checkName` and `checkedJson` do
 */
export function checkedAttr(
  kind: string,
  key: string,
  value: unknown,
  limits: StorageLimits = {},
  others: Readonly<Record<string, Json>> = {},
): Json {
  checkName(kind, key, limits, others);
  return checkedJson(`${kind} "${key}"`, value, limits);
}

/**
 * A copy of attributes, each of which the storage can hold.
 *
 * @param kind which attributes, for the error
 * @throws UserError as `checkName` and `checkedJson` do
 */
export function checkedAttrs(
  kind: string,
  attrs: Readonly<Record<string, Json>> = {},
  limits: StorageLimits = {},
): Record<string, Json> {
  checkRecord(`${kind}s`, attrs);
  const checked: Record<string, Json> = {};
  for (const [key, value] of Object.entries(attrs))
    setOwn(checked, key, checkedAttr(kind, key, value, limits, checked));
  return checked;
}

/** Checks that a trial of one storage fits into another. */
export function checkFits(trial: FrozenTrial, limits: StorageLimits = {}): void {
  const names: Record<string, true> = {};
  for (const [name, distribution] of Object.entries(trial.distributions)) {
    checkParam(name, distribution, limits, names);
    setOwn(names, name, true);
  }
  for (const [step, value] of trial.intermediateValues)
    if (limits.step !== undefined && step > limits.step) checkReport(value, step, limits);
  checkedAttrs('user attribute', trial.userAttrs, limits);
  checkedAttrs('system attribute', trial.systemAttrs, limits);
}
