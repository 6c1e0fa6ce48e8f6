// Run in a process of its own by hostile.test.ts: a crash ends it.
import '@tensorflow/tfjs-backend-cpu';
import '../../src/engine/tfjs.js';
import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import { attention } from '../../src/engine/ops/attention.js';
import { conv3x3 } from '../../src/engine/ops/conv3x3.js';
import { softmaxCrossEntropy } from '../../src/engine/ops/cross-entropy.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { branchNorm, layerNorm } from '../../src/engine/ops/layer-norm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { linears } from '../../src/engine/ops/linears.js';
import { overlap } from '../../src/engine/ops/overlap.js';
import { upsample } from '../../src/engine/ops/upsample.js';
import { randomStream } from '../../src/random/random-stream.js';

const engine = process.argv.at(-3)!;
const [seed, runs] = process.argv.slice(-2).map(Number) as [number, number];
let random = Math.random;
const upTo = (n: number) => Math.floor(random() * n);
const pick = <T>(items: readonly T[]): T => items[upTo(items.length)]!;
const list = <T>(length: number, make: () => T) => Array.from({ length }, make);

const size = () => pick([0, 1, 1, 2, 3, 4]);
const some = (least = 0) => list(least + upTo(5 - least), size);
/** A shape, or one that differs from it a little. */
const near = (shape: readonly number[]) => {
  const way = random();
  if (way < 0.7 || shape.length === 0) return [...shape];
  if (way < 0.8) return [...shape, 1];
  if (way < 0.9) return shape.slice(1);
  return shape.with(upTo(shape.length), size());
};
const count = () => pick([0, 1, 1, 2, 2, 3, 3, -1, 0.5, 2 ** 45, 2 ** 40, 2 ** 62]);
const axis = () => pick([0, 1, 2, -1, -2, 3, -5, 0.5]);
const make = (shape: readonly number[], type?: DataType): Tensor => {
  const dtype = type ?? pick(['float32', 'float32', 'float32', 'float32', 'int32', 'bool'] as const);
  const length = sizeOf(shape);
  const values = list(length, () =>
    dtype === 'float32' ? 4 * random() - 2 : dtype === 'bool' ? upTo(2) : upTo(6) - 1,
  );
  return tf.tensor(values, [...shape], dtype);
};
const one = () => make(some());
const real = (shape: readonly number[]) => make(near(shape), random() < 0.95 ? 'float32' : undefined);
const ids = (shape: readonly number[]) => make(near(shape), random() < 0.95 ? 'int32' : undefined);

type Op = () => Tensor | Tensor[];
const unary = [
  'neg',
  'abs',
  'square',
  'sign',
  'relu',
  'relu6',
  'exp',
  'sigmoid',
  'tanh',
  'floor',
  'ceil',
  'round',
  'softplus',
  'elu',
  'step',
  'leakyRelu',
  'logicalNot',
  'zerosLike',
  'onesLike',
  'softmax',
  'logSoftmax',
  'reciprocal',
  'erf',
  'sin',
] as const;
const binary = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'squaredDifference',
  'floorDiv',
  'mod',
  'equal',
  'notEqual',
  'less',
  'greaterEqual',
  'logicalAnd',
  'logicalOr',
] as const;
const reductions = ['sum', 'mean', 'max', 'min', 'prod', 'all', 'any'] as const;
const named = tf as unknown as Record<string, (...args: unknown[]) => Tensor>;

/** Draws an operation's arguments, then runs it: on any engine the same. */
const ops: Record<string, () => Op> = {
  ...Object.fromEntries(
    unary.map((name) => [
      name,
      () => {
        // The cpu engine's neg of bools are bools.
        const x = name === 'neg' ? make(some(), 'float32') : one();
        return () => named[name]!(x);
      },
    ]),
  ),
  ...Object.fromEntries(
    binary.map((name) => [
      name,
      () => {
        const [a, b] = [some(), some()];
        // Of floats the cpu engine makes whole numbers here.
        const type = name === 'floorDiv' ? 'int32' : undefined;
        const [x, y] = [make(a, type), make(random() < 0.5 ? near(a) : b, type)];
        return () => named[name]!(x, y);
      },
    ]),
  ),
  ...Object.fromEntries(
    reductions.map((name) => [
      name,
      () => {
        // Engines do not agree on what the mean, the largest or all of nothing is.
        const x = make(
          some().map((n) => Math.max(1, n)),
          name === 'all' || name === 'any' ? 'bool' : undefined,
        );
        const [by, keep] = [pick([undefined, axis(), [axis(), axis()], [0], [0, 1], []]), random() < 0.5];
        return () => named[name]!(x, by, keep);
      },
    ]),
  ),
  ...Object.fromEntries(
    (['argMax', 'argMin'] as const).map((name) => [
      name,
      () => {
        const [x, by] = [one(), axis()];
        return () => named[name]!(x, by);
      },
    ]),
  ),
  where: () => {
    const shape = some();
    const [condition, a, b] = [make(near(shape), 'bool'), make(near(shape)), make(near(shape))];
    return () => tf.where(condition as never, a, b);
  },
  cast: () => {
    const [x, to] = [one(), pick(['float32', 'int32', 'bool'] as const)];
    return () => tf.cast(x, to);
  },
  fill: () => {
    const [shape, value] = [list(upTo(4), count), pick([0, 1])];
    const type = pick(['float32', 'int32', 'bool'] as const);
    return () => tf.fill(shape, value, type);
  },
  transpose: () => {
    const x = one();
    const perm = list(random() < 0.8 ? x.rank : upTo(4), () => upTo(x.rank + 1));
    return () => tf.transpose(x, random() < 0.2 ? undefined : perm);
  },
  slice: () => {
    const x = one();
    const [begin, extent] = [list(x.rank, () => upTo(4) - 1), list(x.rank, () => upTo(4) - 1)];
    return () => tf.slice(x, begin, extent);
  },
  pad: () => {
    const x = one();
    const sides = list(
      x.rank,
      () => [pick([0, 1, 2, -1, 2 ** 40, 0.5]), pick([0, 1, -1])] as [number, number],
    );
    return () => tf.pad(x, sides, 1);
  },
  concat: () => {
    const shape = some(1);
    const [parts, along] = [list(1 + upTo(3), () => make(near(shape), 'float32')), axis()];
    return () => tf.concat(parts, along);
  },
  stack: () => {
    const shape = some();
    const [parts, along] = [list(1 + upTo(3), () => make(near(shape), 'float32')), axis()];
    return () => tf.stack(parts, along);
  },
  unstack: () => {
    const [x, along] = [make(some(1)), axis()];
    return () => tf.unstack(x, along);
  },
  split: () => {
    const [x, along] = [make(some(1)), axis()];
    const parts = pick([1, 2, 3, 0, -1, [1, 1], [1, 2], [-1, 1], [5, -2]]);
    return () => tf.split(x, parts, along);
  },
  tile: () => {
    const x = one();
    const times = list(random() < 0.9 ? x.rank : upTo(4), () => pick([1, 2, 0, 3, -1, 0.5, 2 ** 45]));
    return () => tf.tile(x, times);
  },
  reverse: () => {
    const [x, by] = [one(), pick([undefined, axis(), [0, 1], []])];
    return () => tf.reverse(x, by);
  },
  reshape: () => {
    const [x, shape] = [one(), list(upTo(4), () => pick([-1, 0, 1, 2, 3, 4, 0.5, 2 ** 53]))];
    return () => tf.reshape(x, shape);
  },
  expandDims: () => {
    const [x, at] = [one(), axis()];
    return () => tf.expandDims(x, at);
  },
  oneHot: () => {
    const [x, depth] = [ids(some()), count()];
    return () => tf.oneHot(x as never, depth, 2, -1);
  },
  gather: () => {
    const [x, at, along] = [make(some(1)), ids(some().slice(0, 2)), axis()];
    return () => tf.gather(x, at, along);
  },
  matMul: () => {
    const [m, k, n] = [size(), size(), size()];
    const batch = some().slice(0, 2);
    const [ta, tb] = [random() < 0.5, random() < 0.5];
    // The cpu engine takes the wrong matrices where one broadcasts.
    const other = random() < 0.8 ? batch : batch.map((size) => size + 7);
    const inner = random() < 0.8 ? k : size();
    const a = make([...batch, ...(ta ? [k, m] : [m, k])], 'float32');
    const b = make([...other, ...(tb ? [n, inner] : [inner, n])], 'float32');
    return () => tf.matMul(a, b, ta, tb);
  },
  gelu: () => {
    const x = one();
    return () => gelu(x);
  },
  layerNorm: () => {
    const shape = some(1);
    const [x, g, b] = [real(shape), real(shape.slice(-1)), real(shape.slice(-1))];
    return () => (random() < 0.5 ? layerNorm(x, g, b, 1e-3) : branchNorm(x, g, b, 1e-3));
  },
  attention: () => {
    const shape = [size(), size(), pick([0, 1, 2, 4, 6])];
    const [q, k, v, heads] = [real(shape), real(shape), real(shape), count()];
    return () => attention(q, k, v, heads);
  },
  linear: () => {
    const [lead, from, to] = [some().slice(0, 3), size(), size()];
    const [x, w, b] = [real([...lead, from]), real([from, to]), random() < 0.5 ? real([to]) : undefined];
    return () => linear(x, w, b);
  },
  linears: () => {
    const [lead, K, r] = [some().slice(0, 2), pick([1, 2, 2]), size()];
    const [from, to] = [2 * size(), 2 * size()];
    const [x, w, b] = [real([...lead, from]), real([from, to]), real([to])];
    const blocks = random() < 0.5;
    const factors = {
      a: real(blocks ? [K, from / K, K * r] : [from, r]),
      b: real(blocks ? [K, K * r, to / K] : [r, to]),
      scale: 0.5,
    };
    const residual = random() < 0.3 ? real([...lead, to]) : undefined;
    return () => linears([{ x, weight: w, bias: b, lowRank: factors }], residual);
  },
  upsample: () => {
    const [x, factor] = [real([size(), size(), size(), size()]), count()];
    return () => upsample(x, factor);
  },
  conv3x3: () => {
    const [from, to] = [size(), size()];
    const [x, w, b] = [real([size(), size(), size(), from]), real([9 * from, to]), real([to])];
    return () => conv3x3(x, w, b);
  },
  overlap: () => {
    const [shape, classes] = [some(), size()];
    const [x, masks] = [real([...shape, classes]), ids(shape)];
    return () => overlap(x, masks);
  },
  crossEntropy: () => {
    const [shape, classes] = [some(), size()];
    const [x, masks] = [real([...shape, classes]), ids(shape)];
    return () => softmaxCrossEntropy(x, masks);
  },
};

interface Result {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: number[];
}
interface Outcome {
  readonly error?: string;
  readonly results?: readonly Result[];
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
/** Whether a result is as large as its shape says. */
const whole = ({ shape, values }: Result) =>
  shape.every((n) => Number.isInteger(n) && n >= 0) && values.length === sizeOf(shape);

/** What the operation of this name and number gives where it runs, or its error. */
function outcome(name: string, run: number): Outcome {
  random = randomStream(seed, name, run);
  try {
    return tf.tidy(() => {
      const made = [ops[name]!()()].flat();
      const results = made.map((made) => ({
        shape: made.shape,
        dtype: made.dtype,
        values: [...made.dataSync()],
      }));
      return { results } as never;
    });
  } catch (error) {
    return { error: String((error as Error).message ?? error) };
  }
}

/** Whether two results are equal; where the cpu engine fails on nothing, or makes too many numbers of it, nothing is right. */
function agrees(expected: Outcome, got: readonly Result[]): boolean {
  if (!got.every(whole)) return false;
  if (expected.error?.includes('oneHot: depth')) return true; // The cpu engine has no single class.
  // TensorFlow takes the whole part of an axis.
  if (engine === 'tensorflow' && expected.error?.includes('axis param must be integers')) return true;
  if (!expected.results?.every(whole)) return got.every(({ values }) => values.length === 0);
  return (
    got.length === expected.results.length &&
    expected.results.every(({ shape, dtype, values }, i) => {
      const other = got[i]!;
      if (`${shape}` !== `${other.shape}`) return false;
      // Engines differ in whether what they make of bools are bools, and of what type nothing is.
      if (values.length > 0 && (dtype === 'float32') !== (other.dtype === 'float32')) return false;
      return values.every((x, j) => {
        const y = other.values[j]!;
        return Object.is(x, y) || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x));
      });
    })
  );
}

/** WebGPU promises sines and cosines to 2⁻¹¹ alone. */
const tolerance = engine === 'webgpu' ? 2 ** -11 : 1e-4;

const cases = Object.keys(ops).flatMap((name) => list(runs, () => name).map((_, run) => ({ name, run })));
await tf.setBackend('cpu');
const expected = cases.map(({ name, run }) => outcome(name, run));
await useEngine(engine, { precision: 'f32', device: 'cpu' });
const different: string[] = [];
let refused = 0;
cases.forEach(({ name, run }, i) => {
  const got = outcome(name, run);
  if (got.error !== undefined) refused++;
  else if (!agrees(expected[i]!, got.results!))
    different.push(`${name} ${run}: expected ${say(expected[i]!)}, got ${say(got)}`);
});
console.log(JSON.stringify({ tried: cases.length, refused, different }));

function say({ error, results }: Outcome): string {
  return (
    error ??
    (results ?? []).map(({ shape, dtype, values }) => `${dtype}[${shape}] ${values.slice(0, 8)}`).join('; ')
  );
}
