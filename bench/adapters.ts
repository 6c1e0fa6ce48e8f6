import { tensor } from '@tensorflow/tfjs-core';
import { localizedLora } from '../src/adapters/localized-lora.js';
import { lora } from '../src/adapters/lora.js';
import { serialLora } from '../src/adapters/serial-lora.js';
import type { Segmenter } from '../src/tasks/segmentation/segmenter.js';
import { noise } from './noise.js';

export const ADAPTERS = ['lora', 'serial', 'localized', 'none', 'full'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

/** Rank of LoRA and Serial LoRA; Localized LoRA has as many parameters as LoRA with K = 4 and r_block = 4. */
export const RANK = 16;
export const BLOCKS = 4;
export const BLOCK_RANK = RANK / BLOCKS;

const KINDS = {
  lora: () => lora({ rank: RANK }),
  serial: () => serialLora({ rank: RANK }),
  localized: () => localizedLora({ blocks: BLOCKS, blockRank: BLOCK_RANK }),
};

/** Prepares a segmenter for training by the adapter's name; the adapter's zeros become random numbers. */
export function injectAdapter(segmenter: Segmenter, name: AdapterName): Segmenter {
  if (name === 'none') return segmenter.train('head');
  if (name === 'full') return segmenter.train('full');
  segmenter.inject(KINDS[name](), 1);
  let seed = 1000;
  for (const { name, group, value } of segmenter.parameters)
    if (group === 'adapter')
      segmenter.parameters.set(name, tensor(noise(value.size, 0.02, seed++), value.shape));
  return segmenter;
}
