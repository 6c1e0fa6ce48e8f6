import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { keep, tensor, tidy } from '../base/tfjs-core.js';
import type { StoredTensor } from '../files/safetensors-format.js';
import type { Model } from '../model/model.js';
import type { Checkpoint } from './checkpoint.js';
import { unpack } from './optimizers/pack.js';
import { difference, mapState, stateNumbers, stateTensors } from './optimizers/state-tree.js';
import type { RunState } from './run-state.js';

/** The prefix of the moving average of the weights in the state; see `Training.state`. */
const AVERAGE = 'average/';

/** The prefix of the loss scale, which a run has in f16 alone: one resumed in another precision goes on without, or anew. */
const LOSS_SCALE = 'lossScale/';

/**
 * Loads a checkpoint's parameters into a model: exactly those that the model says may change.
 *
 * If the run kept a moving average, these are the averaged weights, which its validation scored; `trained` asks for the
 * others. The model must have been built as it was trained: with the same adapter and the same mode.
 *
 * @throws UserError naming the first parameter that does not fit; the model is then unchanged.
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
 * Puts a run back to where a checkpoint was taken. On the same engine and threads its weights will be bit-identical.
 *
 * @example
 * restore(run, await store.load());
 * prefetch(run.plans(pairs), load, { ahead: 2 });
 */
export function restore({ training, sums, memory }: RunState, checkpoint: Checkpoint): void {
  const { path, info, state } = checkpoint;
  if (info.seed !== training.seed)
    throw new UserError(
      `${path}: expected a checkpoint of seed ${training.seed}, got ${info.seed}; resume with the same seed`,
      { path },
    );
  const hint = 'the state of this optimiser; resume with the same optimiser and average';
  checkFit(path, stateTensors(training.state), state, hint);
  const unscaled = (names: object) => Object.keys(names).filter((name) => !name.startsWith(LOSS_SCALE));
  const mismatch = difference(unscaled(stateNumbers(training.state)), unscaled(info.numbers));
  if (mismatch) throw new UserError(`${path}: expected ${hint}, got ${mismatch}`, { path });

  loadParameters(training.model, checkpoint, 'trained');
  training.state = mapState(training.state, (name, leaf) =>
    typeof leaf === 'number' ? (info.numbers[name] ?? leaf) : restored(state.get(name)!),
  );
  training.position = info.position;
  Object.assign(sums, info.sums);
  assignOwn(training.schedule.state ?? {}, info.schedule);
  for (const [name, values] of Object.entries(info.memory)) {
    if (!Object.hasOwn(memory, name)) define(memory, name, {});
    assignOwn(memory[name]!, values);
  }
}

/** Copies properties as own ones, so that `__proto__` and `constructor` are names like any other. */
function assignOwn(target: object, values: Readonly<Record<string, unknown>>): void {
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
  const mismatch = difference(expected.keys(), got.keys());
  if (mismatch) throw new UserError(`${path}: expected ${what}, got ${mismatch}`, { path });
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
