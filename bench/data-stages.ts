import { lastValueFrom } from 'rxjs';
import { z } from 'zod';
import { imageMaskPairs } from '../operators/image-mask-pairs.js';
import type { Pair } from '../src/data/types.js';
import { dataFlags } from '../src/experiment/data-flags.js';

/** Decoding and resizing alone; with augmentation, normalisation and collation; and the same from decoded pictures. */
export const dataStages = ['decode', 'augment', 'cached'] as const;

/** Flags of the pictures. */
export const stageFlags = {
  imageDir: dataFlags.imageDir,
  maskDir: dataFlags.maskDir,
  list: dataFlags.list,
  maskIds: z
    .array(z.int())
    .default([1, 2, 3])
    .describe('the ids that masks store, in the order of the classes'),
  imageSize: z.int().min(1).default(224).describe('height and width after the resize'),
  batchSize: z.int().min(1).default(8).describe('images per batch'),
  images: z.int().min(1).default(200).describe('how many of them, where there are as many'),
};

/** The pairs of the flags. */
export async function stagePairs(flags: {
  readonly imageDir: string;
  readonly maskDir: string;
  readonly list: readonly string[];
  readonly images: number;
}): Promise<readonly Pair[]> {
  const { imageDir, maskDir, list: lists, images } = flags;
  return (await lastValueFrom(imageMaskPairs(imageDir, maskDir, { lists }))).slice(0, images);
}
