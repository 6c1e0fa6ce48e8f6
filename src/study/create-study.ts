import { randomUUID } from 'node:crypto';
import { UserError } from '../base/errors.js';
import { checkedAttrs, checkFits } from './checks/checked-attrs.js';
import { checkName } from './checks/checked-name.js';
import type { Pruner } from './contracts/pruner.js';
import type { Sampler } from './contracts/sampler.js';
import { openStorage } from './open-storage.js';
import { MedianPruner } from './pruners/percentile.js';
import type { RetryOptions } from './retry-trial.js';
import { TpeSampler } from './samplers/tpe/tpe.js';
import { MemoryStorage } from './storage/memory-storage.js';
import type { HeartbeatOptions } from './storage/sql/heartbeat-options.js';
import type { Storage, StudyRecord } from './storage/storage.js';
import { Study } from './study.js';
import { shown } from './trials/fail-reason.js';
import type { Direction } from './trials/frozen-trial.js';

/** Options of `loadStudy`. */
export interface LoadStudyOptions extends HeartbeatOptions, RetryOptions {
  /** A URL as `openStorage` reads it, or a storage; by default this process's memory. */
  readonly storage?: string | Storage;
  readonly studyName?: string;
  /** Proposes parameters; by default `TpeSampler`. */
  readonly sampler?: Sampler;
  /** Ends unpromising trials; by default those below the median. */
  readonly pruner?: Pruner;
  /** Called with warnings for the user; by default process.emitWarning. */
  readonly warn?: (code: string, message: string) => void;
}

/** Options of `createStudy`. */
export interface CreateStudyOptions extends LoadStudyOptions {
  readonly direction?: Direction;
  /** One for each objective, in place of `direction`. */
  readonly directions?: readonly Direction[];
  /** Load the study of this name if it exists, whatever its directions. */
  readonly loadIfExists?: boolean;
}

/**
 * Creates a study, by default one that minimises a single value.
 *
 * @throws UserError when the name is taken and `loadIfExists` is not set, or as `openStorage` does.
 * @example
 * const study = await createStudy({ storage: 'sqlite:///study.db', studyName: 'rank', direction: 'maximize' });
 */
export async function createStudy(options: CreateStudyOptions): Promise<Study> {
  const { direction, directions = [direction ?? 'minimize'], loadIfExists } = options;
  const { studyName = `no-name-${randomUUID()}` } = options;
  if (direction && options.directions)
    throw new UserError('directions: give either direction or directions, not both');
  if (!Array.isArray(directions) || directions.length === 0)
    throw new UserError(`directions: expected an array of at least one, got ${shown(directions)}`);
  for (const name of directions) {
    if (name !== 'minimize' && name !== 'maximize') {
      throw new UserError(`direction: expected minimize or maximize, got ${shown(name)}`, {
        direction: name,
      });
    }
  }
  return withStorage(options, async (storage) => {
    checkName('study', studyName, storage.limits);
    const present = loadIfExists ? await storage.findStudy(studyName) : undefined;
    if (present) return studyOf(storage, present, options);
    try {
      await storage.createStudy(studyName, directions);
    } catch (error) {
      // Another process may have created it in the meantime.
      const other =
        loadIfExists && error instanceof UserError ? await storage.findStudy(studyName) : undefined;
      if (!other) throw error;
      return studyOf(storage, other, options);
    }
    return studyOf(storage, (await storage.findStudy(studyName))!, options);
  });
}

/**
 * Loads an existing study; without a name, the storage's only one.
 *
 * @throws UserError when there is no such study, or no name was given and the storage has not exactly one.
 */
export async function loadStudy(options: LoadStudyOptions): Promise<Study> {
  return withStorage(options, async (storage) =>
    studyOf(storage, await find(storage, options.studyName), options),
  );
}

/** Deletes a study and its trials for all processes. */
export async function deleteStudy(options: {
  readonly storage: string | Storage;
  readonly studyName: string;
}): Promise<void> {
  await briefly(options.storage, async (storage) =>
    storage.deleteStudy((await find(storage, options.studyName)).id),
  );
}

/**
 * Copies a study with its attributes and trials to another name or storage; trials get new ids, not numbers.
 *
 * @throws UserError before anything is written, when the other storage cannot hold a part of it.
 */
export async function copyStudy(options: {
  readonly from: string | Storage;
  readonly fromName: string;
  readonly to: string | Storage;
  /** `fromName` unless given. */
  readonly toName?: string;
}): Promise<void> {
  await briefly(options.from, (from) =>
    briefly(options.to, async (to) => {
      const study = await find(from, options.fromName);
      const toName = options.toName ?? study.name;
      checkName('study', toName, to.limits);
      const systemAttrs = checkedAttrs('system attribute of the study', study.systemAttrs, to.limits);
      const userAttrs = checkedAttrs('user attribute of the study', study.userAttrs, to.limits);
      const heads = await from.readHeads(study.id, -1, []);
      const trials = await from.readTrials(heads.map(({ id }) => id));
      for (const trial of trials) checkFits(trial, to.limits);
      const copy = await to.createStudy(toName, study.directions);
      for (const [key, value] of Object.entries(systemAttrs))
        await to.setStudyAttr(copy, 'system', key, value);
      for (const [key, value] of Object.entries(userAttrs)) await to.setStudyAttr(copy, 'user', key, value);
      for (const trial of trials) await to.createTrial(copy, trial);
    }),
  );
}

/** The names of all studies, in the order of their creation. */
export async function studyNames(storage: string | Storage): Promise<readonly string[]> {
  return briefly(storage, async (open) => (await open.studies()).map(({ name }) => name));
}

async function find(storage: Storage, name: string | undefined): Promise<StudyRecord> {
  const studies = name === undefined ? await storage.studies() : [await storage.findStudy(name)];
  const [study] = studies;
  if (study && studies.length === 1) return study;
  const all = (await storage.studies()).map((each) => `"${each.name}"`).join(', ') || 'none';
  const expected = name === undefined ? 'exactly one study, or a studyName' : `a study "${name}"`;
  throw new UserError(`${storage.url}: expected ${expected}; it has ${all}`, { url: storage.url, name });
}

function studyOf(storage: Storage, record: StudyRecord, options: LoadStudyOptions): Study {
  const { sampler = new TpeSampler(), pruner = new MedianPruner() } = options;
  return new Study(storage, record, { ...options, sampler, pruner });
}

/** Runs work on the storage; a storage that was opened here is closed again if the work fails. */
async function withStorage<T>(options: LoadStudyOptions, work: (storage: Storage) => Promise<T>): Promise<T> {
  const { storage = new MemoryStorage() } = options;
  if (typeof storage !== 'string') return work(storage);
  const opened = await openStorage(storage, options);
  try {
    return await work(opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function briefly<T>(storage: string | Storage, work: (storage: Storage) => Promise<T>): Promise<T> {
  if (typeof storage !== 'string') return work(storage);
  const opened = await openStorage(storage);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
