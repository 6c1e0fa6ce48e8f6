import { UserError } from '../../base/errors.js';
import type { StorageLimits, TrialTemplate } from '../storage/storage.js';
import { contains, type Distribution, type ParamValue } from '../trials/distribution.js';
import { shown } from '../trials/fail-reason.js';
import { isFinished, type TrialState } from '../trials/frozen-trial.js';
import { checkedDistribution } from '../trials/make-distribution.js';
import { faultOf } from '../trials/outcome.js';
import { noteParamName, paramNames } from '../trials/param-names.js';
import { setOwn } from '../trials/set-own.js';
import { checkedAttrs } from './checked-attrs.js';
import { checkRecord } from './checked-name.js';
import { checkedParam, checkParam } from './checked-param.js';
import { checkReport } from './checked-report.js';

const STATES: readonly TrialState[] = ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'];
/** The last year that databases hold is 9999. */
const LATEST = Date.UTC(9999, 11, 31);

/**
 * A template as storages take it: copied, its parameters in internal form too, and with the times that its state asks
 * for.
 *
 * @throws UserError when a parameter lacks its distribution or lies outside it, when state, values and times contradict
 * each other, or when any part is not what its type says or more than the storage holds.
 */
export function checkedTemplate(
  template: TrialTemplate,
  objectives: number,
  limits: StorageLimits = {},
): TrialTemplate {
  if (!STATES.includes(template?.state))
    throw new UserError(`trial: expected a state of ${STATES.join(', ')}, got ${shown(template?.state)}`);
  const { state, values = null } = template;
  const fault = state === 'COMPLETE' || values !== null ? faultOf(values, objectives) : undefined;
  if (fault) throw new UserError(`trial: expected values that ${state} accepts, but ${fault}`, { values });
  if (values && state !== 'COMPLETE' && state !== 'PRUNED')
    throw new UserError(`trial: expected no values with ${state}, got ${shown(values)}`, { values });
  const times = timesOf(template);
  const { intermediateValues = new Map() } = template;
  if (!(intermediateValues instanceof Map))
    throw new UserError(`trial: expected intermediateValues in a Map, got ${shown(intermediateValues)}`);
  for (const [step, value] of intermediateValues) checkReport(value, step, limits);
  return {
    state,
    values: values && [...values],
    ...paramsOf(template, limits),
    intermediateValues,
    userAttrs: checkedAttrs('user attribute', template.userAttrs, limits),
    systemAttrs: checkedAttrs('system attribute', template.systemAttrs, limits),
    ...times,
  };
}

function timesOf({ state, datetimeStart, datetimeComplete }: TrialTemplate) {
  if (datetimeComplete && !isFinished(state))
    throw new UserError(`trial: expected no datetimeComplete with ${state}`, { state });
  for (const [name, time] of Object.entries({ datetimeStart, datetimeComplete }))
    if (time !== null && time !== undefined && !(Number.isFinite(time) && time >= 0 && time < LATEST))
      throw new UserError(`trial: expected ${name} in milliseconds since 1970, got ${shown(time)}`, { time });
  const now = Date.now();
  return {
    datetimeStart: datetimeStart ?? (state === 'WAITING' ? null : now),
    datetimeComplete: datetimeComplete ?? (isFinished(state) ? now : null),
  };
}

function paramsOf({ params = {}, distributions = {} }: TrialTemplate, limits: StorageLimits) {
  checkRecord('params', params);
  checkRecord('distributions', distributions);
  const checked = {
    params: {} as Record<string, ParamValue>,
    internalParams: {} as Record<string, number>,
    distributions: {} as Record<string, Distribution>,
  };
  for (const name of new Set([...paramNames(distributions), ...Object.keys(params)])) {
    if (!Object.hasOwn(params, name) || !Object.hasOwn(distributions, name))
      throw new UserError(
        `trial: parameter "${name}" has no ${Object.hasOwn(params, name) ? 'distribution' : 'value'}`,
        { name },
      );
    const value = params[name]!;
    const distribution = checkedDistribution(distributions[name]!);
    checkParam(name, distribution, limits, checked.params);
    const internal = checkedParam(name, distribution, value);
    if (!contains(distribution, internal))
      throw new UserError(
        `trial: expected "${name}" within ${JSON.stringify(distribution)}, got ${JSON.stringify(value)}`,
        { name, value },
      );
    noteParamName(checked.distributions, name);
    setOwn(checked.params, name, value);
    setOwn(checked.internalParams, name, internal);
    setOwn(checked.distributions, name, distribution);
  }
  return checked;
}
