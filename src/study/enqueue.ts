import { NOT_FAILED } from './ask.js';
import { checkedFixed } from './checks/checked-param.js';
import { checkedTemplate } from './checks/checked-template.js';
import type { TrialTemplate } from './storage/storage.js';
import type { StudyCore } from './study-core.js';
import type { ParamValue } from './trials/distribution.js';
import type { FrozenTrial, Json } from './trials/frozen-trial.js';
import { sameParams } from './trials/same-params.js';

/** Options of `Study.enqueueTrial`. */
export interface EnqueueOptions {
  /** Attributes that the trial begins with. */
  readonly userAttrs?: Readonly<Record<string, Json>>;
  /** Enqueue nothing if a trial, run or waiting, has the same parameters. */
  readonly skipIfExists?: boolean;
  /** Enqueue nothing if the study has any trial that has not failed. */
  readonly ifEmpty?: boolean;
}

/** See `Study.enqueueTrial`. */
export async function enqueueTrial(
  core: StudyCore,
  params: Readonly<Record<string, ParamValue>>,
  { userAttrs = {}, skipIfExists = false, ifEmpty = false }: EnqueueOptions,
): Promise<void> {
  const { storage, cache } = core.study;
  const fixed = checkedFixed(params, storage.limits);
  const template = checked(core, { state: 'WAITING', systemAttrs: { fixed_params: fixed }, userAttrs });
  if (skipIfExists) {
    await cache.refresh();
    if (cache.trials().some((trial) => sameParams(trial, fixed))) return;
  }
  if (ifEmpty) await storage.createTrialWithin(core.id, { states: NOT_FAILED, most: 1 }, template);
  else await storage.createTrial(core.id, template);
}

/** See `Study.addTrial`. */
export function addTrial(core: StudyCore, template: TrialTemplate): Promise<FrozenTrial> {
  return core.study.storage.createTrial(core.id, checked(core, template));
}

function checked({ study }: StudyCore, template: TrialTemplate): TrialTemplate {
  return checkedTemplate(template, study.cache.directions.length, study.storage.limits);
}
