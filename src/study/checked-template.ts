import { UserError } from '../errors.js';
import { contains, toInternal } from './distributions.js';
import { type FrozenTrial, isFinished } from './frozen-trial.js';
import { outcome } from './outcome.js';
import { setOwn } from './set-own.js';
import type { TrialTemplate } from './storage/storage.js';

/**
 * A template as storages take it: its parameters in internal form too, and with the times that its state asks for.
 *
 * @throws UserError when a parameter lacks its distribution or lies outside it, or when state, values and times
 * contradict each other.
 */
export function checkedTemplate(template: TrialTemplate, objectives: number): TrialTemplate {
  const { state, values = null, params = {}, distributions = {} } = template;
  if (state === 'COMPLETE') outcome({ number: -1 } as FrozenTrial, objectives, values, state);
  else if (values && state !== 'PRUNED')
    throw new UserError(`trial: expected no values with ${state}, got ${JSON.stringify(values)}`, { values });
  if (template.datetimeComplete && !isFinished(state))
    throw new UserError(`trial: expected no datetimeComplete with ${state}`, { state });

  const internalParams: Record<string, number> = {};
  for (const name of new Set([...Object.keys(params), ...Object.keys(distributions)])) {
    const [value, distribution] = [params[name], distributions[name]];
    if (value === undefined || !distribution)
      throw new UserError(`trial: parameter "${name}" has no ${distribution ? 'value' : 'distribution'}`, {
        name,
      });
    const internal = toInternal(distribution, value);
    if (!contains(distribution, internal))
      throw new UserError(
        `trial: expected "${name}" within ${JSON.stringify(distribution)}, got ${JSON.stringify(value)}`,
        { name, value },
      );
    setOwn(internalParams, name, internal);
  }
  const now = Date.now();
  return {
    ...template,
    internalParams,
    datetimeStart: template.datetimeStart ?? (state === 'WAITING' ? null : now),
    datetimeComplete: template.datetimeComplete ?? (isFinished(state) ? now : null),
  };
}
