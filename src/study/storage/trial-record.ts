import { type Distribution, toExternal } from '../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../trials/frozen-trial.js';
import { copyDistributions, noteParamName } from '../trials/param-names.js';
import { setOwn } from '../trials/set-own.js';
import type { TrialChanges, TrialTemplate } from './storage.js';

type Writable<T> = {
  -readonly [K in keyof T]: T[K] extends ReadonlyMap<infer A, infer B> ? Map<A, B> : Opened<T[K]>;
};
type Opened<T> = T extends Readonly<Record<string, infer V>> ? Record<string, V> : T;

/** A trial that its owner, a storage or the process that runs it, updates in place until it ends. */
export type TrialRecord = Writable<FrozenTrial>;

/** A record from a template, copied, or a RUNNING one that starts now. */
export function newTrialRecord(
  id: number,
  number: number,
  template: TrialTemplate = { state: 'RUNNING', datetimeStart: Date.now() },
): TrialRecord {
  return {
    id,
    number,
    state: template.state,
    values: template.values ? [...template.values] : null,
    params: { ...template.params },
    internalParams: { ...template.internalParams },
    distributions: copyDistributions(template.distributions),
    intermediateValues: new Map(template.intermediateValues),
    userAttrs: { ...template.userAttrs },
    systemAttrs: { ...template.systemAttrs },
    datetimeStart: template.datetimeStart ?? null,
    datetimeComplete: template.datetimeComplete ?? null,
  };
}

/** Sets a parameter, which becomes the trial's last unless it exists. */
export function setParam(
  trial: TrialRecord,
  name: string,
  internal: number,
  distribution: Distribution,
): void {
  noteParamName(trial.distributions, name);
  setOwn(trial.distributions, name, distribution);
  setOwn(trial.internalParams, name, internal);
  setOwn(trial.params, name, toExternal(distribution, internal));
}

/** Applies changes in place; applying the same ones twice is harmless. */
export function applyChanges(trial: TrialRecord, changes: TrialChanges): void {
  for (const [name, { internal, distribution }] of changes.params ?? [])
    setParam(trial, name, internal, distribution);
  for (const [step, value] of changes.intermediateValues ?? []) trial.intermediateValues.set(step, value);
  for (const kind of ['userAttrs', 'systemAttrs'] as const)
    for (const key in changes[kind]) setOwn(trial[kind], key, changes[kind][key]!);
}

export function endRecord(
  trial: TrialRecord,
  state: TrialState,
  values: readonly number[] | null,
  time: number,
): void {
  trial.state = state;
  trial.values = values;
  trial.datetimeComplete = time;
}
