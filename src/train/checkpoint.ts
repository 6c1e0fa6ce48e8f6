import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keep, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import type { SplitStems } from '../data/recorded-split.js';
import { writeFolderAtomic } from '../files/atomic.js';
import { recordedPaths, recordPaths } from '../files/recorded-paths.js';
import { readSafetensors, type StoredTensor, safetensorsBytes } from '../files/safetensors.js';
import type { Model } from '../model/model.js';
import { unpack } from './optimizers/pack.js';
import { difference, mapState, stateNumbers, stateTensors } from './optimizers/state-tree.js';
import type { RunState } from './run-state.js';

const INFO = 'checkpoint.json';
const PARAMETERS = 'parameters.safetensors';
const STATE = 'optimizer.safetensors';
const SPLITS = 'splits.json';
/** Where the state holds the moving average of the weights; see `Training.state`. */
const AVERAGE = 'average/';

const numbers = z.record(z.string(), z.number().nullable());
const info = z.object({
  format: z.literal('millrace-checkpoint'),
  version: z.literal(1),
  /** Batches consumed; resume with `batchPlans(…, { from: position })`. */
  position: z.int().min(0),
  epoch: z.int().min(0),
  /** All chance of a run is a pure function of its seed, a purpose and the position: these are the RNG's whole state. */
  seed: z.number(),
  /** Sums of the epoch under way; JSON writes a loss that is NaN as null. */
  sums: z.object({
    loss: z
      .number()
      .nullable()
      .transform((loss) => loss ?? Number.NaN),
    images: z.number(),
    seconds: z.number(),
  }),
  /** The numbers of the optimiser's state. */
  numbers: z.record(z.string(), z.number()),
  schedule: numbers,
  memory: z.record(z.string(), numbers),
  /** By what this checkpoint competes to be the best. */
  score: z.object({ metric: z.string(), mode: z.enum(['min', 'max']), value: z.number() }).nullable(),
  config: z.record(z.string(), z.unknown()),
  /** Where the files of `config` lay. */
  paths: recordedPaths.optional(),
  versions: z.record(z.string(), z.string()),
  sha256: z.record(z.string(), z.string()),
});

export type CheckpointInfo = z.infer<typeof info>;

const stems = z.array(z.string());
const splitStems = z.object({ train: stems, validation: stems, test: stems, unused: stems });

/** The contents of a checkpoint's folder. */
export interface Checkpoint {
  readonly path: string;
  readonly info: CheckpointInfo;
  /** Adapter, head and buffers, by parameter name. */
  readonly parameters: ReadonlyMap<string, StoredTensor>;
  readonly state: ReadonlyMap<string, StoredTensor>;
}

/**
 * Writes all that a resumed run needs into a folder, whole or not at all: `parameters.safetensors` (what training may
 * have changed), `optimizer.safetensors`, `checkpoint.json`, and `splits.json`, the pictures of each split.
 */
export async function writeCheckpoint(
  path: string,
  { training, sums, memory }: RunState,
  about: Pick<CheckpointInfo, 'epoch' | 'score' | 'config' | 'versions'>,
  splits?: SplitStems,
): Promise<void> {
  const parameters = training.model.parameters.changing();
  const files: Record<string, Uint8Array> = {
    ...(splits && { [SPLITS]: Buffer.from(`${JSON.stringify(splits, null, 1)}\n`) }),
    [PARAMETERS]: await bytesOf(new Map(parameters.map(({ name, value }) => [name, value]))),
    [STATE]: await bytesOf(stateTensors(training.state)),
  };
  const sha256 = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, digest(bytes)]));
  const facts: CheckpointInfo = {
    format: 'millrace-checkpoint',
    version: 1,
    position: training.position,
    seed: training.seed,
    sums,
    numbers: stateNumbers(training.state),
    schedule: training.schedule.state ?? {},
    memory,
    ...about,
    paths: recordPaths(about.config, dirname(path)),
    sha256,
  };
  await writeFolderAtomic(path, { ...files, [INFO]: `${JSON.stringify(facts, null, 2)}\n` });
}

/** Reads `checkpoint.json` alone. @throws UserError naming the file where it is missing, foreign or damaged. */
export async function readCheckpointInfo(path: string): Promise<CheckpointInfo> {
  const file = join(path, INFO);
  const fail = (got: string, cause?: unknown) =>
    new UserError(
      `${file}: expected a checkpoint of this project, got ${got}; name another folder`,
      { path },
      { cause },
    );
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail(cause.code === 'ENOENT' || cause.code === 'ENOTDIR' ? 'nothing there' : cause.message, cause);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail('a file that is no JSON', cause);
  }
  const parsed = info.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw fail(`${issue?.path.join('.') || 'something'}: ${issue?.message}`, parsed.error);
  }
  return parsed.data;
}

/**
 * The pictures of each split that a checkpoint's run began with; undefined in one of an earlier version, which kept none.
 *
 * @throws UserError naming the file where it is damaged.
 */
export async function readSplits(path: string): Promise<SplitStems | undefined> {
  const { sha256 } = await readCheckpointInfo(path);
  const file = join(path, SPLITS);
  if (sha256[SPLITS] === undefined && !existsSync(file)) return undefined;
  const text = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(
      `${file}: expected the pictures of each split, got ${cause.code}; use another checkpoint`,
      { path },
      { cause },
    );
  });
  checkDigest(path, file, digest(text), sha256[SPLITS]);
  return splitStems.parse(JSON.parse(text.toString()));
}

function checkDigest(path: string, file: string, found: string, expected: string | undefined): void {
  if (found !== expected)
    throw new UserError(`${file}: expected the bytes that were written, got others; use another checkpoint`, {
      path,
    });
}

/** Reads a whole checkpoint and checks every byte of it. @throws UserError naming the file at fault. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const facts = await readCheckpointInfo(path);
  const read = async (name: string) => {
    const file = join(path, name);
    const { tensors } = await readSafetensors(file);
    checkDigest(path, file, await fileDigest(file), facts.sha256[name]);
    return tensors;
  };
  return { path, info: facts, parameters: await read(PARAMETERS), state: await read(STATE) };
}

/**
 * Puts a checkpoint's parameters into a model: all that the model says may change, and no other.
 *
 * Of a run with a moving average these are the averaged weights, which its validation scored; `trained` asks for the
 * others. The model must train what it trained then: the same adapter, the same mode.
 *
 * @throws UserError naming the parameter where the two do not fit; the model is then unchanged.
 */
export function loadParameters(
  model: Pick<Model, 'parameters'>,
  { path, parameters, state }: Checkpoint,
  which: 'scored' | 'trained' = 'scored',
): void {
  const changing = model.parameters.changing();
  checkFit(
    path,
    new Map(changing.map(({ name, value }) => [name, value])),
    parameters,
    'the parameters of this model; build it as it was trained',
  );
  for (const { name } of changing) model.parameters.set(name, restored(parameters.get(name)!));
  if (which === 'trained') return;
  tidy(() => {
    const packs = [...state].filter(([name]) => name.startsWith(AVERAGE));
    const average = Object.fromEntries(
      packs.map(([name, stored]) => [name.slice(AVERAGE.length), restored(stored)]),
    );
    const trainable = model.parameters.trainable();
    unpack(trainable, average).forEach((value, i) => {
      if (value) model.parameters.set(trainable[i]!.name, keep(value));
    });
  });
}

/**
 * Continues a run where the checkpoint was taken: same engine and threads, then bit-identical weights.
 *
 * @example
 * restore(run, await store.load());
 * prefetch(run.plans(pairs), load, { ahead: 2 });
 */
export function restore({ training, sums, memory }: RunState, checkpoint: Checkpoint): void {
  const { path, info: facts, state } = checkpoint;
  if (facts.seed !== training.seed)
    throw new UserError(
      `${path}: expected a checkpoint of seed ${training.seed}, got ${facts.seed}; resume with the same seed`,
      { path },
    );
  const hint = 'the state of this optimiser; resume with the same optimiser and average';
  checkFit(path, stateTensors(training.state), state, hint);
  const odd = difference(Object.keys(stateNumbers(training.state)), Object.keys(facts.numbers));
  if (odd) throw new UserError(`${path}: expected ${hint}, got ${odd}`, { path });

  loadParameters(training.model, checkpoint, 'trained');
  training.state = mapState(training.state, (name, leaf) =>
    typeof leaf === 'number' ? facts.numbers[name]! : restored(state.get(name)!),
  );
  training.position = facts.position;
  Object.assign(sums, facts.sums);
  takeOver(training.schedule.state ?? {}, facts.schedule);
  for (const [name, values] of Object.entries(facts.memory)) {
    if (!Object.hasOwn(memory, name)) define(memory, name, {});
    takeOver(memory[name]!, values);
  }
}

/** Sets the properties of one object on another as its own: `__proto__` and `constructor` are names like others. */
function takeOver(target: object, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) define(target, name, value);
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

function checkFit(
  path: string,
  expected: ReadonlyMap<string, Tensor>,
  got: ReadonlyMap<string, StoredTensor>,
  what: string,
): void {
  const odd = difference(expected.keys(), got.keys());
  if (odd) throw new UserError(`${path}: expected ${what}, got ${odd}`, { path });
  for (const [name, { shape }] of expected) {
    const stored = got.get(name)!.shape;
    if (shape.join() !== stored.join())
      throw new UserError(`${path}: expected ${what}, got ${name} of shape [${stored}] for [${shape}]`, {
        path,
      });
  }
}

function restored({ data, shape }: StoredTensor): Tensor {
  return tensor(data, [...shape], data instanceof Float32Array ? 'float32' : 'int32');
}

async function bytesOf(tensors: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array | Int32Array }>();
  for (const [name, value] of tensors)
    stored.set(name, { shape: value.shape, data: (await value.data()) as Float32Array | Int32Array });
  return safetensorsBytes(stored);
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The digest of a file of any size. */
async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes as Uint8Array);
  return hash.digest('hex');
}
