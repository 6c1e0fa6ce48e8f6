import { z } from 'zod';
import { shortSize } from '../data/images/image-size.js';
import { DEFAULT_HEAD } from '../model/heads/heads.js';
import { readPretrained } from '../model/vit/pretrained.js';
import { type Segmenter, segmenterOf } from '../tasks/segmentation/segmenter.js';
import {
  backboneRecord,
  parseRecord,
  recordedChannels,
  trainAs,
  trainedIn,
  trainedRecord,
} from './model-record.js';

/** A segmenter's parts as plain data: a checkpoint keeps them, so that the model can be built again. */
export const segmenterRecord = z.object({
  ...backboneRecord,
  head: z.object({
    classes: z.int().min(1),
    /** Absent for the default one. */
    name: z.string().optional(),
    batchNorm: z.boolean().optional(),
    dropout: z.number().optional(),
    auxiliary: z.boolean().optional(),
  }),
  ...trainedRecord,
});

export type SegmenterRecord = z.infer<typeof segmenterRecord>;

/**
 * The record of a model on the backbone `modelName`, with its trainable part.
 *
 * @throws UserError for an adapter that could not be built again, since none here has its name.
 */
export function recordOf(model: Segmenter, modelName: string): SegmenterRecord {
  const { imageSize, head } = model;
  const { classes, batchNorm, dropout, auxiliary, name = DEFAULT_HEAD } = head;
  return {
    modelName,
    imageSize: shortSize(imageSize),
    ...recordedChannels(model),
    head: {
      classes,
      ...(name !== DEFAULT_HEAD && { name }),
      ...(batchNorm && { batchNorm }),
      ...(dropout && { dropout }),
      ...(auxiliary && { auxiliary }),
    },
    ...trainedIn(model),
  };
}

/**
 * The model of a record, its adapter and head at their initial weights: `loadParameters` puts a checkpoint's in.
 *
 * @throws UserError where `record` is none, and for what `readPretrained` and the adapter refuse.
 * @example
 * const checkpoint = await readCheckpoint('models/lora_42_1/step-00000162');
 * const model = await segmenterFrom(checkpoint.info.config.model, checkpoint.info.seed);
 * loadParameters(model, checkpoint);
 */
export async function segmenterFrom(
  record: unknown,
  seed: number,
  read: typeof readPretrained = readPretrained,
): Promise<Segmenter> {
  const {
    modelName,
    imageSize,
    channels = 3,
    normalization,
    head,
    ...trained
  } = parseRecord(segmenterRecord, record);
  return trainAs(
    segmenterOf(await read(modelName), { ...head, imageSize, channels, normalization, seed }),
    trained,
    seed,
  );
}
