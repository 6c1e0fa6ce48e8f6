// Run in a process of its own by hostile.test.ts: a crash ends it.
import '../../src/engine/tfjs.js';
import * as tf from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import type { Numbers } from '../../src/engine/torch/addon.js';
import type { TorchBackend } from '../../src/engine/torch/backend.js';
import { randomStream } from '../../src/random/random-stream.js';
import { everything } from './everything.js';

const [seed, steps] = process.argv.slice(-2).map(Number) as [number, number];
const random = randomStream(seed, 'hostile torch');
const upTo = (n: number) => Math.floor(random() * n);
const pick = <T>(items: readonly T[]): T => items[upTo(items.length)]!;

interface Input {
  readonly values: Numbers;
  readonly shape: readonly number[];
}
interface Recorded {
  readonly kernel: number;
  readonly names: readonly string[];
  readonly inputs: readonly Input[];
  readonly attrs: Record<string, unknown>;
}

await useEngine('torch', { device: 'cpu', precision: 'f32', threads: 1 });
const backend = tf.findBackend('torch') as TorchBackend;
const { addon } = backend;
const recorded: Recorded[] = [];
const run = backend.run.bind(backend);
backend.run = (kernel, inputs, attrs) => {
  const given = Object.entries(inputs).flatMap(([name, input]) => (input ? [[name, input] as const] : []));
  recorded.push({
    kernel,
    names: given.map(([name]) => name),
    inputs: given.map(([, { dataId, shape }]) => ({ values: backend.readSync(dataId) as Numbers, shape })),
    attrs: { ...attrs },
  });
  return run(kernel, inputs, attrs);
};
tf.tidy(everything);
backend.run = run;

// Nothing between what is small and what no machine has: that would be memory really taken.
const ODD = [0, 1, 2, 3, -1, -2, 7, 255, 2 ** 45, 2 ** 53, -(2 ** 53), 0.5, Number.NaN];
const strange = (): unknown =>
  pick([
    ...ODD,
    'float32',
    'complex64',
    true,
    null,
    undefined,
    [],
    [1, -1],
    [[1], 2],
    {},
    [2 ** 40, 2 ** 40],
  ]);
const shapeOf = (count: number) => pick([[count], [1, count], [count, 1], [1, 1, count]]);
const input = (): Input => {
  const shape = Array.from({ length: upTo(5) }, () => pick([0, 1, 1, 2, 3, 4]));
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, () => upTo(5) - 1);
  return { values: pick([Float32Array, Int32Array, Uint8Array]).from(values), shape };
};
const around = ({ values, shape }: Input): Input =>
  random() < 0.4 ? input() : { values, shape: random() < 0.5 ? shapeOf(values.length) : shape };

/** A call with one to three of its arguments changed. */
function mutated(call: Recorded): Recorded {
  let { kernel, names, inputs, attrs } = call;
  for (let changes = 1 + upTo(3); changes > 0; changes--) {
    const way = random();
    const place = upTo(inputs.length);
    if (way < 0.4 && inputs.length > 0) inputs = inputs.with(place, around(inputs[place]!));
    else if (way < 0.75) attrs = { ...attrs, [pick([...Object.keys(attrs), 'axis', 'shape'])]: strange() };
    else if (way < 0.85) kernel = upTo(addon.kernels.length);
    else if (inputs.length > 0) {
      names = names.filter((_, i) => i !== place);
      inputs = inputs.filter((_, i) => i !== place);
    }
  }
  return { kernel, names, inputs, attrs };
}

let refused = 0;
const wrong: string[] = [];
const before = addon.memory().tensors;
for (let step = 0; step < steps; step++) {
  const { kernel, names, inputs, attrs } = mutated(recorded[step % recorded.length]!);
  if (step % 500 === 0) addon.start('cpu', step % 1000 === 0 ? 'f32' : 'bf16', 1);
  const ids = inputs.map(({ values, shape }) => addon.write(values, shape));
  const given = random() < 0.95 ? ids : ids.map((id) => pick([id, -1, 2 ** 40, 0.5, 1e9]));
  const made: number[] = [];
  try {
    for (const { id, shape } of [addon.run(kernel, names, given, attrs)].flat()) {
      made.push(id);
      const count = shape.reduce((a, b) => a * b, 1);
      const { length } = addon.readSync(id);
      if (length !== count) wrong.push(`${addon.kernels[kernel]}: expected ${count} numbers, got ${length}`);
    }
  } catch (error) {
    if (!(error instanceof Error)) wrong.push(`${addon.kernels[kernel]}: no error but ${String(error)}`);
    refused++;
  }
  for (const id of [...ids, ...made]) addon.free(id);
}
if (addon.memory().tensors !== before) wrong.push(`${addon.memory().tensors - before} tensors are left`);
console.log(JSON.stringify({ refused, wrong }));
