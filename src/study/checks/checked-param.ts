import { UserError } from '../../base/errors.js';
import { distributionToJson } from '../storage/distribution-json.js';
import type { StorageLimits } from '../storage/storage.js';
import { type Distribution, type ParamValue, toInternal } from '../trials/distribution.js';
import { shown } from '../trials/fail-reason.js';
import { setOwn } from '../trials/set-own.js';
import { checkName, checkRecord } from './checked-name.js';

/**
 * @param others the trial's parameters
 * @throws UserError when the storage cannot hold the parameter's name, or its choices.
 */
export function checkParam(
  name: string,
  distribution: Distribution,
  limits: StorageLimits = {},
  others: Readonly<Record<string, unknown>> = {},
): void {
  checkName('parameter', name, limits, others);
  if (limits.bytes === undefined) return;
  const bytes = Buffer.byteLength(distributionToJson(distribution));
  if (bytes > limits.bytes)
    throw new UserError(
      `parameter "${name}": expected choices of at most ${limits.bytes} bytes of JSON, which is all that this ` +
        `storage takes, got ${bytes}; suggest an index instead`,
      { name, bytes },
    );
}

/**
 * A given value in the form of a storage; it may lie outside the range.
 *
 * @throws UserError when it is none of the choices, or no finite number, or not above 0 where the range is logarithmic.
 */
export function checkedParam(name: string, distribution: Distribution, value: ParamValue): number {
  let internal: number;
  try {
    internal = toInternal(distribution, value);
  } catch (cause) {
    throw new UserError(`parameter "${name}": ${(cause as Error).message}`, { name, value }, { cause });
  }
  if (!Number.isFinite(internal))
    throw new UserError(`parameter "${name}": expected a finite number, got ${internal}`, { name, value });
  if (distribution.name !== 'CategoricalDistribution' && distribution.log && internal <= 0)
    throw new UserError(
      `parameter "${name}": expected a number above 0, since its range is logarithmic, got ${internal}`,
      { name, value },
    );
  return internal;
}

/**
 * A copy of parameters that are given before their distributions are known: of each a string, a number, a boolean or
 * null, as they are; whether it fits is seen when it is suggested.
 */
export function checkedFixed(
  params: Readonly<Record<string, ParamValue>>,
  limits: StorageLimits = {},
): Readonly<Record<string, ParamValue>> {
  checkRecord('params', params);
  const fixed: Record<string, ParamValue> = {};
  for (const [name, value] of Object.entries(params)) {
    checkName('parameter', name, limits, fixed);
    if (value !== null && !['string', 'number', 'boolean'].includes(typeof value))
      throw new UserError(
        `parameter "${name}": expected a string, number, boolean or null, got ${shown(value)}`,
        { name, value },
      );
    setOwn(fixed, name, value);
  }
  return fixed;
}
