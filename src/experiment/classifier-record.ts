import { z } from 'zod';
import { shortSize } from '../data/images/image-size.js';
import { readPretrained } from '../model/vit/pretrained.js';
import { type Classifier, classifierOf } from '../tasks/classification/classifier.js';
import {
  backboneRecord,
  parseRecord,
  recordedChannels,
  trainAs,
  trainedIn,
  trainedRecord,
} from './model-record.js';

/** A classifier's parts as plain data: a checkpoint keeps them, so that the model can be built again. */
export const classifierRecord = z.object({
  /** Tells it from a segmenter's record. */
  task: z.literal('classification'),
  ...backboneRecord,
  head: z.object({
    classes: z.int().min(1),
    /** Where it started: at random, or as the pretrained model's own. */
    start: z.enum(['new', 'keep']),
  }),
  ...trainedRecord,
});

export type ClassifierRecord = z.infer<typeof classifierRecord>;

/**
 * The record of a classifier on the backbone `modelName`, with what trains in it now.
 *
 * @throws UserError for an adapter that could not be built again, since none here has its name.
 */
export function classifierRecordOf(
  model: Classifier,
  { modelName, head: start }: { readonly modelName: string; readonly head: 'new' | 'keep' },
): ClassifierRecord {
  const { imageSize, classes } = model;
  return {
    task: 'classification',
    modelName,
    imageSize: shortSize(imageSize),
    ...recordedChannels(model),
    head: { classes, start },
    ...trainedIn(model),
  };
}

/**
 * The classifier of a record, at its initial weights: `loadParameters` puts a checkpoint's in.
 *
 * @throws UserError where `record` is none, and for what `readPretrained` and the adapter refuse.
 */
export async function classifierFrom(
  record: unknown,
  seed: number,
  read: typeof readPretrained = readPretrained,
): Promise<Classifier> {
  const {
    modelName,
    imageSize,
    channels = 3,
    normalization,
    head,
    ...trained
  } = parseRecord(classifierRecord, record);
  const { classes, start } = head;
  return trainAs(
    classifierOf(await read(modelName), { classes, head: start, imageSize, channels, normalization, seed }),
    trained,
    seed,
  );
}
