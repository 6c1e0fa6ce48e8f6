import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import { whatIsThere } from '../base/what-is-there.js';
import type { SplitStems } from '../data/recorded-split.js';
import { locate } from '../files/recorded-paths.js';
import type { readPretrained } from '../model/vit/pretrained.js';
import type { Classifier } from '../tasks/classification/classifier.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { checkpointStore } from '../train/checkpoint-store.js';
import { readCheckpoint, readCheckpointInfo, readSplits } from '../train/read-checkpoint.js';
import { loadParameters } from '../train/restore.js';
import { classifierFrom } from './classifier-record.js';
import { type AdaptersInPlace, putAdapters } from './put-adapters.js';
import { loadRecordedPlugins } from './recorded-plugins.js';
import {
  type ClassificationRun,
  classificationRun,
  type SegmentationRun,
  segmentationRun,
} from './run-settings.js';
import { segmenterFrom } from './segmenter-record.js';

/** A trained run and its selected checkpoint. */
export interface TrainedRun<
  S extends SegmentationRun | ClassificationRun = SegmentationRun | ClassificationRun,
> {
  readonly name: string;
  /** The checkpoint's folder. */
  readonly path: string;
  /** Paths among them are the present locations of the files: see `locate`. */
  readonly settings: S;
  /** The pictures of each split; a run of an earlier version did not record them. */
  readonly splits: SplitStems | undefined;
  /** Adapters in place of the run's own: see `withAdapters`. */
  readonly adapters?: AdaptersInPlace;
}

export interface TrainedRunsOptions {
  /** The best checkpoint of each run (default), or the last. */
  readonly checkpoint?: 'best' | 'last';
  /** The runs' pretrained model. Default: where they found it. */
  readonly modelName?: string | undefined;
  /** Names of the only runs to read. Default: all. */
  readonly runName?: readonly string[];
}

/**
 * The trained runs in a folder, by name, one checkpoint each. No weights are read yet.
 *
 * `dir` is a folder of runs such as `models`, one run's folder, or one checkpoint. In a folder of runs, folders that
 * hold something else are passed over, as is a run that has begun and has no checkpoint yet; an empty one is an error, for
 * a run without a checkpoint cannot be scored.
 *
 * @throws UserError where there is no checkpoint, or one that no training recipe wrote.
 */
export async function trainedRuns(
  dir: string,
  { checkpoint = 'best', modelName, runName = [] }: TrainedRunsOptions = {},
): Promise<TrainedRun[]> {
  const names = await contents(dir);
  const trainedRun = (name: string, path: string) => readRun(name, path, modelName);
  if (names.includes('checkpoint.json')) return [await trainedRun(basename(dirname(resolve(dir))), dir)];
  const own = await checkpointOf(dir, checkpoint);
  if (own !== undefined) return [await trainedRun(basename(resolve(dir)), own)];
  const runs: TrainedRun[] = [];
  const unknown = runName.find((name) => !names.includes(name));
  if (unknown !== undefined) throw noSuchRun({ name: unknown }, names);
  for (const name of runName.length > 0 ? names.filter((one) => runName.includes(one)) : names) {
    const folder = join(dir, name);
    const inside = await contents(folder).catch(() => undefined);
    if (!inside) continue;
    if (inside.length === 0 && existsSync(join(folder, '.lock'))) {
      say(`${folder}: passed over, since its training has no checkpoint yet`);
      continue;
    }
    if (inside.length === 0) throw missing(folder);
    const path = await checkpointOf(folder, checkpoint);
    if (path !== undefined) runs.push(await trainedRun(name, path));
  }
  if (runs.length === 0) throw missing(dir);
  return runs;
}

/** Whether a run is one of classification. */
export function isClassification(run: TrainedRun): run is TrainedRun<ClassificationRun> {
  return !('maskIds' in run.settings);
}

/**
 * A run's model with its checkpoint's weights, and the adapters in place of its own, ready to be scored: its adapter is
 * merged into the backbone if possible. The plugins that the run was trained with are loaded before.
 *
 * A merged weight is rounded as the engine rounds weights: in bf16 scores differ from the training's own in the fourth
 * digit, in f32 they do not.
 *
 * @throws UserError for a damaged checkpoint, for one whose model cannot be built, and for one whose parameters are not its
 * model's; it names the checkpoint.
 */
export async function loadTrained(
  { path, settings: { model: record, randomSeed, plugin }, adapters }: TrainedRun,
  read?: typeof readPretrained,
): Promise<Segmenter | Classifier> {
  const checkpoint = await readCheckpoint(path);
  await loadRecordedPlugins(path, plugin, record);
  const built =
    'task' in record ? classifierFrom(record, randomSeed, read) : segmenterFrom(record, randomSeed, read);
  const model = await built.catch((cause: unknown) => {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`${path}: its model cannot be built: ${cause.message}`, { path }, { cause });
  });
  try {
    loadParameters(model, checkpoint);
    if (adapters) await putAdapters(model, adapters);
    if (model.adapter?.merged) model.merge();
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The entries of a folder without hidden files; unfinished checkpoints are hidden. */
async function contents(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((cause: NodeJS.ErrnoException) => {
    throw missing(dir, whatIsThere(cause), cause);
  });
  return names.filter((name) => !name.startsWith('.')).toSorted();
}

async function checkpointOf(dir: string, which: 'best' | 'last'): Promise<string | undefined> {
  const store = checkpointStore(dir);
  return (which === 'best' ? await store.best() : undefined) ?? store.last();
}

async function readRun(name: string, path: string, modelName: string | undefined): Promise<TrainedRun> {
  const { config, paths } = await readCheckpointInfo(path);
  const task = (config['model'] as { readonly task?: unknown } | undefined)?.task;
  const parsed = (task === 'classification' ? classificationRun : segmentationRun).safeParse(config);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UserError(
      `${join(path, 'checkpoint.json')}: expected the settings of a training recipe, got config.${issue.path.join('.')}: ${issue.message}; train with node recipes/train-localized.js`,
      { path },
    );
  }
  const now = (recordedPath: string) => locate(recordedPath, paths, dirname(resolve(path)));
  return { name, path, settings: located(parsed.data, now, modelName), splits: await readSplits(path) };
}

/** Settings with their paths where the files lie now. */
function located<S extends SegmentationRun | ClassificationRun>(
  settings: S,
  now: (recordedPath: string) => string,
  modelName: string | undefined,
): S {
  const { plugin, model } = settings;
  const places = Object.entries(settings)
    .filter(
      ([key, value]) =>
        ['imageDir', 'maskDir', 'labels', 'manifest', 'shards', 'parquet', 'coco'].includes(key) &&
        value !== undefined,
    )
    .map(([key, value]) => [key, now(value as string)]);
  return {
    ...settings,
    ...Object.fromEntries(places),
    ...('list' in settings && listsAt(settings, now)),
    plugin: plugin.map(now),
    model: { ...model, modelName: modelName ?? now(model.modelName) },
  };
}

/** The lists of settings where they lie now. */
function listsAt(
  { list, trainList, validationList, testList }: SegmentationRun,
  now: (recordedPath: string) => string,
): Partial<SegmentationRun> {
  const official = Object.entries({ trainList, validationList, testList }).flatMap(([key, lists]) =>
    lists ? [[key, lists.map(now)]] : [],
  );
  return { list: list.map(now), ...Object.fromEntries(official) };
}

/** No run is one of those that were asked for. */
export function noSuchRun(asked: Readonly<Record<string, unknown>>, runs: readonly string[]): UserError {
  const criteria = Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .map(([what, value]) => `${what} ${value}`);
  return new UserError(
    `expected a checkpoint of a run with ${criteria.join(', ')}, got runs ${runs.join(', ')}; train it, or leave it out`,
    asked,
  );
}

function missing(dir: string, got = 'none', cause?: unknown): UserError {
  return new UserError(
    `${dir}: expected a checkpoint, got ${got}; train first (node recipes/train-localized.js), or see --model-dir`,
    { path: dir },
    { cause },
  );
}
