import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setBackend, tensor } from '@tensorflow/tfjs-core';
import type { Parameters } from '../../src/model/parameters.js';
import { tinyBackbone } from '../recipes/tiny-backbone.js';

/**
 * Makes a channel large that block 1 reads and that none of its maps uses: a row's scale then follows that channel, and the
 * others are rounded to few steps. What the block adds to the tokens is made large, too, so that it counts.
 */
function withOutliers(parameters: Parameters): void {
  const changed = (name: string, change: (x: number, i: number) => number) => {
    const { value } = parameters.parameter(`layers.1.${name}`);
    parameters.set(`layers.1.${name}`, tensor(Float32Array.from(value.dataSync(), change), value.shape));
  };
  changed('norm1.weight', (x, channel) => (channel === 3 ? 300 * x : x));
  for (const map of ['query', 'key', 'value'])
    changed(`${map}.weight`, (x, i) => (Math.floor(i / 12) === 3 ? 0 : 30 * x));
  changed('output.weight', (x) => 30 * x);
}

/** A folder within `dir` with a tiny ViT of which int8 is too coarse for block 1. */
export async function outlierBackbone(dir: string): Promise<string> {
  await setBackend('cpu');
  const folder = join(dir, 'outliers');
  mkdirSync(folder);
  return tinyBackbone(folder, {}, withOutliers);
}
