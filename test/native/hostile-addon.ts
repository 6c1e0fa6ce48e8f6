// Run in a process of its own by hostile.test.ts: a crash ends it.
import '../../src/engine/tfjs.js';
import * as tf from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import type { Numbers } from '../../src/engine/onednn/addon.js';
import { randomStream } from '../../src/random/random-stream.js';
import { everything } from './everything.js';
import { runningBackend } from './onednn.js';

const [seed, steps] = process.argv.slice(-2).map(Number) as [number, number];
const random = randomStream(seed, 'hostile addon');
const upTo = (n: number) => Math.floor(random() * n);
const pick = <T>(items: readonly T[]): T => items[upTo(items.length)]!;

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
const MODES: readonly (readonly [bf16: boolean, bits: 0 | 8 | 16])[] = [
  [false, 0],
  [true, 0],
  [false, 16],
  [true, 8],
];
for (const mode of MODES) {
  addon.start(2, ...mode);
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
  if (step % 1000 === 0) addon.start(1 + upTo(2), ...pick(MODES));
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
