import {
  matMul,
  type NamedAttrMap,
  type NamedTensorMap,
  reshape,
  type Tensor,
  tensor,
  engine as tfjs,
  tidy,
} from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { onednnBackend } from '../../src/engine/onednn.js';
import { linear } from '../../src/engine/ops/linear.js';
import { linears } from '../../src/engine/ops/linears.js';
import { engineFlags, measureFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { timed } from '../measure.js';
import { noise } from '../noise.js';
import { flops, type Product, products } from '../products.js';
import { print, resultOf } from '../result.js';
import { startEngine } from '../setup.js';

export default command({
  description: "a step's matrix products and nothing else: the ceiling of train-step",
  flags: {
    Model: modelFlags,
    Engine: { precision: engineFlags.precision, threads: engineFlags.threads },
    Measuring: {
      pass: z.enum(['train', 'forward']).default('train').describe('the products of a step, or of inference'),
      ...measureFlags,
    },
  },
  run: async (config) => {
    const { model, adapter, batch } = config;
    const engine = await startEngine({ ...config, engine: 'onednn' });
    const list = products(model, adapter, batch, config.pass === 'train');
    const calls = list.flatMap(callsOf);
    const { addon } = onednnBackend();
    const seconds = await timed(config, async () => {
      for (const call of calls) tidy(() => void call());
      addon.drain();
    });
    print(resultOf(engine, config, seconds, flops(list)), config.json);
  },
});

/** A product as often as a step has it, each time with a weight of its own, as the layers have. */
function callsOf({ kind, frozen, batch, m, k, n, count }: Product): (() => Tensor)[] {
  if (kind === 'batched') {
    const [a, b] = [activations(batch * m, k), activations(batch * k, n)];
    return Array(count).fill(() => matMul(reshape(a, [batch, m, k]), reshape(b, [batch, k, n])));
  }
  if (kind === 'weight gradient') {
    const [x, dy] = [activations(k, m), activations(k, n)];
    return Array(count).fill(() => kernel('LinearGradWeight', { x, dy }));
  }
  const x = activations(m, k);
  const values = noise(k * n, 0.02, 1);
  return Array.from({ length: count }, () => {
    if (kind === 'linear') {
      const weight = tensor(values, [k, n]);
      return () => (frozen ? linears([{ x, weight, frozen }])[0]! : linear(x, weight));
    }
    const weight = tensor(values, [n, k]);
    if (frozen) return () => kernel('LinearsGradInput', [x, weight], { changed: [false], frozen: [true] });
    return () => kernel('LinearGradInput', { dy: x, weight });
  });
}

/** Runs a kernel of one result; a list of inputs is numbered. */
function kernel(name: string, inputs: NamedTensorMap | readonly Tensor[], attrs: object = {}): Tensor {
  const [first] = [tfjs().runKernel(name, { ...inputs } as NamedTensorMap, attrs as NamedAttrMap)].flat();
  return first!;
}

/** Input numbers in the precision of the layer before: bf16 where the engine keeps activations so. */
function activations(rows: number, columns: number): Tensor {
  return tidy(() =>
    linear(tensor(noise(rows * 16, 1, 1), [rows, 16]), tensor(noise(16 * columns, 0.2, 2), [16, columns])),
  );
}
