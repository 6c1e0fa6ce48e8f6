import type { Item, SamplePlan } from './types.js';

/** What became of a sample in the cache: it was there, it was put there, there was no room, or there is no cache. */
export type CacheOutcome = 'hit' | 'kept' | 'full' | 'none';

/** How one sample was loaded. */
export interface SampleNotes {
  /** From the request to the decoded bytes, other samples' turns included. */
  readonly seconds: number;
  readonly cache: CacheOutcome;
}

/** How one batch was loaded. */
export interface LoadNotes {
  /** How long its user waited for it after the batch before. */
  readonly waitSeconds: number;
  /** From the pull of its plan to the whole batch. */
  readonly loadSeconds: number;
  /** Batches that were ready, this one included, when it was handed out. */
  readonly ready: number;
}

const samples = new WeakMap<SamplePlan<Item>, SampleNotes>();
const batches = new WeakMap<object, LoadNotes>();
const renders = new WeakMap<object, number>();

// Kept beside the values and not in them: a plan is what a sample is a function of, and a batch is its tensors.

/** Notes how a sample was loaded. */
export function noteSample(plan: SamplePlan<Item>, notes: SampleNotes): void {
  samples.set(plan, notes);
}

/** How a sample was loaded; undefined for one that was not decoded here. */
export function sampleNotes(plan: SamplePlan<Item>): SampleNotes | undefined {
  return samples.get(plan);
}

/** Notes how a batch was loaded. */
export function noteLoad(batch: object, notes: LoadNotes): void {
  batches.set(batch, notes);
}

/** How a batch was loaded; undefined for one that `prefetch` did not hand out. */
export function loadNotes(batch: object): LoadNotes | undefined {
  return batches.get(batch);
}

/** Notes the seconds in which the pixels of a batch were augmented and normalised. */
export function noteRender(batch: object, seconds: number): void {
  renders.set(batch, seconds);
}

/** The seconds in which the pixels of a batch were made; 0 where that is not known. */
export function renderSeconds(batch: object): number {
  return renders.get(batch) ?? 0;
}

const trunks = new WeakMap<object, number>();

/** Notes the seconds in which a model's trunk ran on a batch while it was loaded. */
export function noteTrunk(batch: object, seconds: number): void {
  trunks.set(batch, seconds);
}

/** The seconds in which a model's trunk ran on a batch while it was loaded: work of the engine, and not of the data. */
export function trunkSeconds(batch: object): number {
  return trunks.get(batch) ?? 0;
}
