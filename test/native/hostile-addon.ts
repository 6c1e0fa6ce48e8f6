// Run in a process of its own by hostile.test.ts: a crash ends it.
import '../../src/engine/tfjs.js';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import type { Numbers } from '../../src/engine/onednn/addon.js';
import { attention } from '../../src/engine/ops/attention.js';
import { conv3x3 } from '../../src/engine/ops/conv3x3.js';
import { softmaxCrossEntropy } from '../../src/engine/ops/cross-entropy.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { branchNorm } from '../../src/engine/ops/layer-norm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { linears } from '../../src/engine/ops/linears.js';
import { overlap } from '../../src/engine/ops/overlap.js';
import { upsample } from '../../src/engine/ops/upsample.js';
import { randomStream } from '../../src/random/random-stream.js';
import { valueAndGradients } from '../../src/train/value-and-gradients.js';
import { runningBackend } from './onednn.js';

const [seed, steps] = process.argv.slice(-2).map(Number) as [number, number];
const random = randomStream(seed, 'hostile addon');
const upTo = (n: number) => Math.floor(random() * n);
const pick = <T>(items: readonly T[]): T => items[upTo(items.length)]!;
const drawn = (...shape: number[]) => tf.randomNormal(shape, 0, 1, 'float32', 1);

/** Calls every kernel of the addon as it should be called. */
function everything(): void {
  const masks = tf.tensor([0, 1, 255, 2], [2, 2], 'int32');
  const losses: [(...inputs: Tensor[]) => Tensor, ...Tensor[]][] = [
    [
      (x, w, b, p, q, r, s, y) => {
        const lowRank = { a: p!, b: q!, scale: 0.5 };
        const blocks = { a: r!, b: s!, scale: 2 };
        const [one] = linears([
          { x: x!, weight: w!, bias: b!, lowRank },
          { x: x!, weight: w!, lowRank: blocks },
        ]);
        return tf.add(one!, linears([{ x: x!, weight: w!, bias: b!, lowRank }], y)[0]!);
      },
      drawn(2, 3, 4),
      drawn(4, 6),
      drawn(6),
      drawn(4, 2),
      drawn(2, 6),
      drawn(2, 2, 4),
      drawn(2, 4, 3),
      drawn(2, 3, 6),
    ],
    [(x, w, b) => linear(x!, w!, b!), drawn(2, 3, 4), drawn(4, 6), drawn(6)],
    [(x, g, b) => tf.concat(branchNorm(x!, g!, b!, 1e-3), 1), drawn(2, 3, 4), drawn(4), drawn(4)],
    [(q, k, v) => attention(q!, k!, v!, 2), drawn(2, 3, 4), drawn(2, 3, 4), drawn(2, 3, 4)],
    [(x) => gelu(x!), drawn(2, 3)],
    [(x) => upsample(x!, 2), drawn(1, 2, 3, 2)],
    [(x, w, b) => conv3x3(x!, w!, b!), drawn(1, 2, 3, 2), drawn(18, 4), drawn(4)],
    [(x) => overlap(x!, masks), drawn(2, 2, 3)],
    [(x) => softmaxCrossEntropy(x!, masks), drawn(2, 2, 3)],
    [(x, y) => tf.matMul(x!, y!, false, true), drawn(2, 3, 4), drawn(2, 5, 4)],
    [
      (x) =>
        tf.split(
          tf.pad(x!, [
            [1, 0],
            [0, 2],
          ]),
          [2, 1],
        )[0]!,
      drawn(2, 3),
    ],
    [(x) => tf.softmax(x!), drawn(2, 3)],
    [(x, y) => tf.mul(tf.sum(x!, 1), tf.max(y!)), drawn(2, 3), drawn(3)],
  ];
  for (const [loss, ...inputs] of losses)
    valueAndGradients(() => tf.sum(tf.square(loss(...inputs))), inputs).gradients.map((gradient) =>
      gradient?.dataSync(),
    );
  const x = drawn(3, 4);
  const at = tf.tensor([2, 0], [2], 'int32');
  const larger = tf.greater(x, tf.zerosLike(x));
  const moments = { gradient: x, m: x, v: tf.abs(x) };
  const constants = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 1 };
  for (const tensor of [
    tf.where(tf.logicalNot(larger as never), x, tf.neg(x)),
    tf.cast(larger, 'float32'),
    tf.sum(tf.cast(x, 'int32')),
    tf.oneHot(at as never, 3),
    tf.gather(x, at),
    tf.argMax(x, 1),
    tf.logSoftmax(x),
    tf.engine().runKernel('LogSoftmax', { logits: x }) as Tensor,
    ...(tf.engine().runKernel('AdamUpdate', moments, constants) as Tensor[]),
  ])
    tensor.dataSync();
}

interface Recorded {
  readonly kernel: number;
  readonly ins: readonly (Numbers | undefined)[];
  readonly numbers: readonly number[];
  readonly sizes: readonly number[];
}

await useEngine('onednn', { precision: 'f32' });
const { addon } = runningBackend();
const { run } = addon;
const kernels = addon.about().kernels.map(({ name }) => name);
const recorded: Recorded[] = [];
for (const bf16 of [false, true]) {
  addon.start(2, bf16);
  addon.run = (kernel, outs, ins, numbers, sizes) => {
    const values = ins.map((id) => (id < 0 ? undefined : addon.readSync(id).slice()));
    recorded.push({ kernel, ins: values, numbers, sizes });
    run(kernel, outs, ins, numbers, sizes);
  };
  tf.tidy(everything);
  addon.run = run;
}

const odd = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
  8,
  12,
  -1,
  -2,
  7,
  255,
  2 ** 31,
  2 ** 32,
  2 ** 45,
  2 ** 53,
  2 ** 62,
  -(2 ** 53),
  0.5,
];
const strange = () => pick([...odd, Number.NaN, Number.POSITIVE_INFINITY]);
const types = [Float32Array, Int32Array, Uint8Array];
const changed = <T>(items: readonly T[], make: () => T): T[] => {
  const way = random();
  if (items.length === 0 || way < 0.1) return [...items, make()];
  if (way < 0.2) return items.slice(0, -1);
  return items.with(upTo(items.length), make());
};
const input = () =>
  pick(types).from(Array.from({ length: pick([0, 1, 2, 3, 4, 6, 8, 12, 24]) }, () => upTo(5) - 1));
const around = (values: Numbers | undefined): Numbers | undefined => {
  const way = random();
  if (!values || way < 0.3) return random() < 0.2 ? undefined : input();
  if (way < 0.6) return values.subarray(1);
  if (way < 0.8) return pick(types).from(values);
  return Float32Array.from([...values, 1]);
};

/** A call with one to three of its arguments changed. */
function mutated(call: Recorded): Recorded {
  let result = call;
  for (let changes = 1 + upTo(3); changes > 0; changes--) {
    const way = random();
    if (way < 0.55) result = { ...result, numbers: changed(result.numbers, strange) };
    else if (way < 0.65) result = { ...result, sizes: changed(result.sizes, strange) };
    else if (way < 0.7) result = { ...result, kernel: upTo(kernels.length) };
    else if (result.ins.length > 0 && way < 0.9) {
      const place = upTo(result.ins.length);
      result = { ...result, ins: result.ins.with(place, around(result.ins[place])) };
    } else result = { ...result, ins: changed(result.ins, input) };
  }
  return result;
}

let next = 1_000_000;
let refused = 0;
const wrong: string[] = [];
/** A tensor that is there already, or was freed, or never was. */
const unusual = () => pick([next - 1, next + 5, 999_999, -1]);
for (let step = 0; step < steps; step++) {
  const call = mutated(recorded[step % recorded.length]!);
  if (step % 1000 === 0) addon.start(1 + upTo(2), step % 2000 === 0);
  const ins = call.ins.map((values) => {
    if (!values) return -1;
    addon.write(next, values);
    return next++;
  });
  const given = random() < 0.95 ? ins : ins.map((id) => (random() < 0.5 ? id : unusual()));
  const first = next;
  const outs = call.sizes.map(() => (random() < 0.98 ? next++ : Math.max(0, unusual())));
  const name = kernels[call.kernel];
  try {
    addon.run(call.kernel, outs, given, call.numbers, call.sizes);
    outs.forEach((id, i) => {
      const { length } = addon.readSync(id);
      if (id >= first && length !== call.sizes[i])
        wrong.push(`${name}: expected ${call.sizes[i]} numbers, got ${length}`);
    });
  } catch {
    refused++;
  }
  for (const id of [...ins, ...outs]) if (id >= 0) addon.free(id);
}
addon.drain();
const called = new Set(recorded.map(({ kernel }) => kernels[kernel]));
console.log(JSON.stringify({ refused, wrong, missing: kernels.filter((name) => !called.has(name)) }));
