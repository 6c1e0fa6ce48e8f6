import { checkedParam, checkParam } from './checks/checked-param.js';
import type { Sampler } from './contracts/sampler.js';
import type { StudyView } from './contracts/study-view.js';
import type { Storage, StoredParam } from './storage/storage.js';
import type { StudyCache } from './study-cache.js';
import {
  contains,
  type Distribution,
  isSingle,
  type ParamValue,
  rangeText,
  type SearchSpace,
  toInternal,
} from './trials/distribution.js';
import type { FrozenTrial } from './trials/frozen-trial.js';
import { checkCompatible, sameDistribution } from './trials/same-distribution.js';

/** The part of a study that suggesting uses. */
export interface SuggestingStudy {
  /** @internal */
  readonly cache: StudyCache;
  readonly storage: Storage;
  readonly sampler: Sampler;
  /** The study as this trial's sampler sees it. */
  viewFor(trial: FrozenTrial): StudyView;
  /** Warns the user. */
  warn(code: string, message: string): void;
}

/** A sampler's proposal for a trial before its first suggestion. */
export interface Proposal {
  readonly space: SearchSpace;
  readonly params: Readonly<Record<string, ParamValue>>;
}

export const NO_PROPOSAL: Proposal = { space: new Map(), params: {} };

/** Lets the study's sampler prepare the trial, and propose for the space it infers. */
export function propose(study: SuggestingStudy, trial: FrozenTrial): Proposal {
  const { sampler } = study;
  const view = study.viewFor(trial);
  sampler.beforeTrial?.(view, trial);
  const space = sampler.inferRelativeSearchSpace(view, trial);
  return { space, params: space.size > 0 ? sampler.sampleRelative(view, trial, space) : {} };
}

/**
 * The value of a parameter that the trial already has; warns if the range has changed.
 *
 * @throws UserError when its type, log or choices are others now.
 */
export function suggestedBefore(
  study: SuggestingStudy,
  { number, params, distributions }: FrozenTrial,
  name: string,
  distribution: Distribution,
): ParamValue {
  const first = distributions[name]!;
  checkCompatible(name, first, distribution);
  if (!sameDistribution(first, distribution))
    study.warn(
      'second-range',
      `trial ${number}: "${name}" keeps the value from its first range, ${rangeText(first)}; the second, ` +
        `${rangeText(distribution)}, is ignored`,
    );
  return params[name]!;
}

/**
 * Chooses a new parameter: its enqueued value, its only possible one, the proposed one, or an independently sampled
 * one.
 *
 * @throws UserError when the storage cannot hold the parameter, the study knows it with another type, log or choices,
 * or the value does not fit.
 */
export function chooseParam(
  study: SuggestingStudy,
  trial: FrozenTrial,
  proposal: Proposal,
  name: string,
  suggestion: Distribution,
): StoredParam {
  checkParam(name, suggestion, study.storage.limits, trial.distributions);
  const distribution = study.cache.known(name, suggestion);
  const internal =
    fixedValue(study, trial, name, distribution) ??
    onlyValue(distribution) ??
    proposedValue(proposal, name, distribution) ??
    sampledValue(study, trial, name, distribution);
  return { internal, distribution };
}

/** The enqueued value of the trial, even outside the range. */
function fixedValue(
  study: SuggestingStudy,
  { number, systemAttrs }: FrozenTrial,
  name: string,
  distribution: Distribution,
): number | undefined {
  const fixed = systemAttrs.fixed_params as Readonly<Record<string, ParamValue>> | undefined;
  if (!fixed || !Object.hasOwn(fixed, name)) return undefined;
  const internal = checkedParam(name, distribution, fixed[name]!);
  if (!contains(distribution, internal))
    study.warn('fixed-param', `trial ${number}: "${name}" is fixed at ${fixed[name]}, outside its range`);
  return internal;
}

function onlyValue(distribution: Distribution): number | undefined {
  if (!isSingle(distribution)) return undefined;
  return distribution.name === 'CategoricalDistribution' ? 0 : distribution.low;
}

/** The proposed value, unless it lies outside the requested range. */
function proposedValue(
  { space, params }: Proposal,
  name: string,
  distribution: Distribution,
): number | undefined {
  const proposed = Object.hasOwn(params, name) ? params[name] : undefined;
  if (proposed === undefined) return undefined;
  const expectedDistribution = space.get(name);
  if (expectedDistribution) checkCompatible(name, expectedDistribution, distribution);
  const internal = toInternal(distribution, proposed);
  return contains(distribution, internal) ? internal : undefined;
}

function sampledValue(
  study: SuggestingStudy,
  trial: FrozenTrial,
  name: string,
  distribution: Distribution,
): number {
  const sampled = study.sampler.sampleIndependent(study.viewFor(trial), trial, name, distribution);
  return checkedParam(name, distribution, sampled);
}
