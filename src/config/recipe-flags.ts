import { z } from 'zod';
import { fixture } from './fixture.js';

/** Where pictures come from and how they are divided. */
export const dataFlags = {
  imageDir: z
    .string()
    .min(1)
    .default(fixture('creatures', 'plain', 'images'))
    .describe('folder of images'),
  maskDir: z
    .string()
    .min(1)
    .default(fixture('creatures', 'plain', 'masks'))
    .describe('folder of masks'),
  list: z
    .array(z.string())
    .default([])
    .describe('list files that narrow the pairs, such as trainval.txt,test.txt'),
  maskIds: z
    .array(z.int().min(0).max(65535))
    .min(2)
    .default([1, 2, 3])
    .describe('the ids that masks store, in the order of the classes'),
  dataPercentage: z.number().gt(0).max(1).default(1).describe('share of the pairs that is used'),
  randomSeed: z
    .int()
    .min(0)
    .default(42)
    .describe('rules subset, split, shuffle, augmentation and initial weights'),
  split: z
    .enum(['upstream', 'hash'])
    .default('upstream')
    .describe(
      "upstream = CPython's shuffle, 70/20/10; hash = each pair by its own name, stable under added files",
    ),
  shrink: z
    .enum(['all', 'keep-test'])
    .default('all')
    .describe('whether --data-percentage shrinks every split, or leaves the test split as it is'),
};

/** The adapter and its size. */
export const adapterFlags = {
  rank: z.int().min(1).default(4).describe('rank r'),
  alpha: z.number().gt(0).default(16).describe('the adapter is scaled by alpha / rank'),
};

/** How long and how fast. */
export const trainingFlags = {
  epochs: z.int().min(1).default(50).describe('passes over the training split'),
  batchSize: z.int().min(1).default(32).describe('images in a step'),
  lr: z.number().gt(0).default(1e-4).describe('learning rate of everything that trains'),
  separateLr: z.boolean().default(false).describe('use --lr-vit-backbone and --lr-seg-head in place of --lr'),
  lrVitBackbone: z.number().gt(0).default(1e-3).describe('learning rate of adapters and backbone'),
  lrSegHead: z.number().gt(0).default(1e-2).describe('learning rate of the segmentation head'),
  weightDecay: z.number().min(0).default(1e-4).describe('weight decay'),
};
