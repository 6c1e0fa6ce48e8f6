// Tries every engine: which ones run here, on what, how fast, and what brings the others; onednn also with frozen
// weights in integers. The last line says what decodes pictures.
//
//   node recipes/engines.js

import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type Engine, engines, imageCode, linears, type Precision, UserError, useEngine } from 'millrace';
import { recipe } from 'millrace/recipe';
import { z } from 'zod';

recipe({
  description: 'Tries every engine and says what is missing.',
  flags: {
    Trying: {
      size: z
        .int()
        .min(8)
        .max(8192)
        .default(256)
        .describe('rows and columns of the matrices that are multiplied'),
    },
  },
  run: async ({ size }) => {
    for (const name of engines.names)
      for (const precision of [undefined, ...(name === 'onednn' ? INTEGERS : [])])
        console.log(`${name.padEnd(12)}${await report(name, precision, size)}`);
    const code = imageCode();
    const fix = code === 'JavaScript' ? ', which is slower: npm run build:images' : '';
    console.log(`${'images'.padEnd(12)}${code}${fix}`);
  },
});

/** The precisions that multiply frozen weights in integers. */
const INTEGERS = ['int16', 'int8'] as const;

/** One line about an engine in a precision, by default its own: its device and speed, or why it does not run. */
async function report(name: string, precision: Precision | undefined, size: number): Promise<string> {
  try {
    const engine = await useEngine(name, { ...(precision && { precision }) });
    check();
    return `${about(engine)}, ${(await speed(size)).toFixed(1)} GFLOP/s in products of ${size} × ${size}`;
  } catch (error) {
    if (!(error instanceof UserError)) return `fails: ${(error as Error).message}`;
    return error.message.replace(/^.*; install it: /s, 'not installed: ');
  }
}

function about({ device, precision, threads }: Engine): string {
  const processor = threads === 1 ? '1 thread' : `${threads} threads`;
  return [precision, device === undefined || device === 'cpu' ? processor : device].join(' on ');
}

/** A product whose weight does not train. */
const product = (x: Tensor, weight: Tensor): Tensor => linears([{ x, weight, frozen: true }])[0]!;

/** Computes a product that every precision but integers holds exactly, and these after rounding. */
function check(): void {
  const values = tidy(() => product(tensor([1, 2, 3, 4], [2, 2]), tensor([5, 6, 7, 8], [2, 2])).dataSync());
  const y = values.map(Math.round);
  if (`${[...y]}` !== '19,22,43,50')
    throw new Error(`expected a product of 19, 22, 43, 50, got ${[...y].join(', ')}`);
}

/** The best of three products, after one that warms up. */
async function speed(size: number): Promise<number> {
  const [x, weight] = [
    tensor(new Float32Array(size * size).fill(1), [size, size]),
    tensor(new Float32Array(size * size).fill(1), [size, size]),
  ];
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    const y = product(x, weight);
    await y.data();
    if (i > 0) best = Math.min(best, performance.now() - start);
    y.dispose();
  }
  x.dispose();
  weight.dispose();
  return (2 * size ** 3) / best / 1e6;
}
