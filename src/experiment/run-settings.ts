import { z } from 'zod';
import { classifierRecord } from './classifier-record.js';
import { recordedPalette } from './mask-palette-flag.js';
import { recordedSize } from './model-record.js';
import { segmenterRecord } from './segmenter-record.js';

/** The part that either task needs. */
/** What names items in other ways than by folders; see `SourceSettings`. */
const recordedSources = {
  manifest: z.string().optional(),
  shards: z.string().optional(),
  parquet: z.string().optional(),
  columns: z.array(z.string()).optional(),
  coco: z.string().optional(),
  splitBy: z.literal('group').optional(),
  fold: z.string().optional(),
};
/** How pictures become numbers: RGB of 8 bits in runs of earlier versions. */
const pixels = { channels: z.number().optional(), range: z.array(z.number()).optional() };
const shared = {
  ...pixels,
  classNames: z.array(z.string()),
  dataPercentage: z.number(),
  randomSeed: z.number(),
  shrink: z.enum(['all', 'keep-test']),
  batchSize: z.number(),
  /** The user's own modules that the run was trained with. */
  plugin: z.array(z.string()).default([]),
};

/** The part of a checkpoint's config that scoring a segmentation needs. */
export const segmentationRun = z.object({
  model: segmenterRecord,
  imageDir: z.string(),
  ...recordedSources,
  maskDir: z.string(),
  list: z.array(z.string()),
  maskIds: z.union([z.array(z.number()), z.record(z.string(), z.number())]),
  maskPalette: recordedPalette.optional(),
  imageSuffix: z.string().optional(),
  maskSuffix: z.string().optional(),
  trainList: z.array(z.string()).optional(),
  validationList: z.array(z.string()).optional(),
  testList: z.array(z.string()).optional(),
  tiles: recordedSize.optional(),
  tileOverlap: z.number().optional(),
  split: z.enum(['upstream', 'hash', 'folders', 'lists']),
  ...shared,
});

/** The part of a checkpoint's config that scoring a classification needs. */
export const classificationRun = z.object({
  model: classifierRecord,
  imageDir: z.string().optional(),
  ...recordedSources,
  labels: z.string().optional(),
  split: z.enum(['stratified', 'upstream', 'hash']),
  topK: z.number(),
  ...shared,
});

/** What `segmentationRun` reads. */
export type SegmentationRun = z.infer<typeof segmentationRun>;

/** What `classificationRun` reads. */
export type ClassificationRun = z.infer<typeof classificationRun>;
