import assert from 'node:assert/strict';
import { add, type Tensor, tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import type { Parameter, ParameterGroup } from '../../src/model/parameters.js';
import { ConfusionMatrix } from '../../src/tasks/confusion-matrix.js';
import { losses } from '../../src/tasks/segmentation/losses/losses.js';
import { softScores } from '../../src/tasks/segmentation/losses/soft-scores.js';
import { adam, adamW } from '../../src/train/optimizers/adam.js';
import { pack, unpack } from '../../src/train/optimizers/pack.js';
import { sgd } from '../../src/train/optimizers/sgd.js';
import type { Optimizer } from '../../src/train/optimizers/transform.js';

/** A nested list of numbers. */
type Values = number | Values[];
type Tree = Readonly<Record<string, readonly Values[]>>;

/** What golden/make_torch.py writes. */
export interface Golden {
  readonly logits: number[][][][];
  readonly masks: number[][][];
  readonly scores: Readonly<Record<'omit' | 'count', readonly [number, number]>>;
  readonly metrics: Readonly<Record<'dice' | 'iou', readonly (number | null)[]>> &
    Readonly<Record<'miou' | 'accuracy', number>>;
  readonly losses: Readonly<Record<string, { readonly value: number; readonly gradient: readonly number[] }>>;
  readonly set: {
    readonly masks: number[][][][];
    readonly kinds: number[][][];
    readonly value: number;
    readonly gradients: readonly (readonly number[])[];
  };
  readonly rates: Readonly<Record<string, number>>;
  readonly start: Tree;
  readonly gradients: readonly Tree[];
  readonly optimizers: Readonly<Record<string, Readonly<Record<string, readonly (readonly number[])[]>>>>;
}

/** The optimisers by the names that golden/make_torch.py uses. */
export const OPTIMIZERS: Readonly<Record<string, () => Optimizer>> = {
  adamW: () => adamW(),
  'adamW decay 0.1, clip 1': () => adamW({ weightDecay: 0.1, clip: 1 }),
  'adam decay 0.1': () => adam({ weightDecay: 0.1, beta1: 0.8, beta2: 0.99 }),
  sgd: () => sgd(),
  'sgd momentum, decay': () => sgd({ momentum: 0.9, weightDecay: 0.1 }),
  'sgd nesterov, clip 1': () => sgd({ momentum: 0.9, nesterov: true, clip: 1 }),
};

/** The losses of logits alone; `assertSet` has the one of queries. */
export const LOSSES = losses.names.filter((name) => name !== 'set');

/** Value and gradient within 1e-4 of torch's, relative to the largest. */
export function assertLoss(golden: Golden, name: string): void {
  const { value, gradient } = golden.losses[name]!;
  tidy(() => {
    const logits = tensor4d(golden.logits);
    const masks = tensor3d(golden.masks, undefined, 'int32');
    const ours = valueAndGradients(() => losses.make(name)(logits, masks), [logits]);
    close([...ours.value.dataSync()], [value], name);
    close([...ours.gradients[0]!.dataSync()], gradient, `gradient of ${name}`);
  });
}

/** The same of the loss `set`, with the gradients by masks and classes of the queries. */
export function assertSet({ set, logits, masks }: Golden): void {
  tidy(() => {
    const [said, kinds]: Tensor[] = [tensor4d(set.masks), tensor3d(set.kinds)];
    const targets = tensor3d(masks, undefined, 'int32');
    const loss = losses.make('set');
    const ours = valueAndGradients(
      () => loss(tensor4d(logits), targets, { masks: said!, kinds: kinds! }),
      [said!, kinds!],
    );
    close([...ours.value.dataSync()], [set.value], 'set');
    ours.gradients.forEach((gradient, i) => {
      close([...gradient!.dataSync()], set.gradients[i]!, `gradient ${i} of set`);
    });
  });
}

export function assertSoftScores(golden: Golden, absent: 'omit' | 'count'): void {
  tidy(() => {
    const masks = tensor3d(golden.masks, undefined, 'int32');
    const { dice, iou } = softScores(tensor4d(golden.logits), masks, { absent });
    close([...dice.dataSync(), ...iou.dataSync()], golden.scores[absent], absent);
  });
}

/** The hard scores of the pixels that count, by a confusion matrix. */
export function assertMetrics({ logits, masks, metrics }: Golden): void {
  const largest = (row: readonly number[]) => row.indexOf(Math.max(...row));
  const matrix = new ConfusionMatrix(logits[0]![0]![0]!.length).add(
    masks.flat(2),
    logits.flat(2).map(largest),
  );
  for (const name of ['dice', 'iou'] as const) {
    const places = (scores: readonly (number | null)[]) => scores.map((score) => score === null);
    assert.deepEqual(places(matrix[name]), places(metrics[name]));
    const numbers = (scores: readonly (number | null)[]) => scores.filter((score) => score !== null);
    close(numbers(matrix[name]), numbers(metrics[name]), name);
  }
  close([matrix.miou, matrix.accuracy], [metrics.miou, metrics.accuracy], 'mIoU and accuracy');
}

/** The parameters after ten steps within 1e-4 of torch's. */
export function assertOptimizer(golden: Golden, name: string): void {
  tidy(() => {
    const optimizer = OPTIMIZERS[name]!();
    const flat = (tree: Tree): Tensor[] =>
      Object.values(tree).flatMap((values) => values.map((value) => tensor(value as number[])));
    const groups = Object.entries(golden.start).flatMap(([group, values]) => values.map(() => group));
    const parameters: Parameter[] = flat(golden.start).map((value, i) => ({
      name: String(i),
      group: groups[i] as ParameterGroup,
      trainable: true,
      value,
    }));
    const values = () => parameters.map(({ value }) => value);
    let state = optimizer.init(pack(parameters, values()));
    for (const gradient of golden.gradients) {
      const weights = pack(parameters, values());
      const result = optimizer.update(pack(parameters, flat(gradient)), state, {
        parameters: weights,
        learningRate: golden.rates,
      });
      state = result.state;
      unpack(parameters, result.updates).forEach((update, i) => {
        parameters[i]!.value = add(parameters[i]!.value, update!);
      });
    }
    const expected = Object.values(golden.optimizers[name]!).flat(2);
    close(
      values().flatMap((value) => [...value.dataSync()]),
      expected,
      name,
    );
  });
}

function close(ours: readonly number[], torch: readonly number[], what: string): void {
  assert.equal(ours.length, torch.length, what);
  const scale = Math.max(...torch.map(Math.abs));
  ours.forEach((value, i) => {
    const error = Math.abs(value - torch[i]!) / scale;
    assert.ok(error <= 1e-4, `${what}[${i}]: ${value}, torch ${torch[i]}`);
  });
}
