import { z } from 'zod';
import { adapters } from '../adapters/adapters.js';
import { UserError } from '../base/errors.js';
import { DEFAULT_HEAD } from '../model/heads/heads.js';
import { readPretrained } from '../model/vit/pretrained.js';
import { TRAINING_MODES, trainingMode } from '../model/vit/training-mode.js';
import { type Segmenter, segmenterOf } from '../tasks/segmentation/segmenter.js';

/** A segmenter's parts as plain data: a checkpoint keeps them, so that the model can be built again. */
export const segmenterRecord = z.object({
  modelName: z.string(),
  imageSize: z.int().min(1),
  head: z.object({
    classes: z.int().min(1),
    /** Absent for the default one. */
    name: z.string().optional(),
    batchNorm: z.boolean().optional(),
    dropout: z.number().optional(),
  }),
  adapter: z
    .object({
      name: z.string(),
      settings: z.record(z.string(), z.unknown()),
      layers: z.array(z.number()).optional(),
    })
    .nullable(),
  /** `custom` where a choice of the user's own trains: `trainable` names it. */
  mode: z.enum([...TRAINING_MODES, 'custom']),
  trainable: z.array(z.string()).optional(),
});

export type SegmenterRecord = z.infer<typeof segmenterRecord>;

/**
 * The record of a model on the backbone `modelName`, with what trains in it now.
 *
 * @throws UserError for an adapter that could not be built again, since none here has its name.
 */
export function recordOf(model: Segmenter, modelName: string): SegmenterRecord {
  const { imageSize, head, adapter, parameters } = model;
  const { classes, batchNorm, dropout, name = DEFAULT_HEAD } = head;
  const mode = trainingMode(parameters);
  if (adapter && !adapters.has(adapter.name))
    throw new UserError(
      `adapter: expected one of ${adapters.names.join(', ')} in the record of a model, got ${adapter.name}, with which no checkpoint could be read again; train it without a record, or merge() it`,
      { adapter: adapter.name },
    );
  return {
    modelName,
    imageSize,
    head: {
      classes,
      ...(name !== DEFAULT_HEAD && { name }),
      ...(batchNorm && { batchNorm }),
      ...(dropout && { dropout }),
    },
    adapter: adapter
      ? {
          name: adapter.name,
          settings: adapter.settings,
          ...(adapter.layers && { layers: [...adapter.layers] }),
        }
      : null,
    ...(typeof mode === 'string' ? { mode } : { mode: 'custom', trainable: mode }),
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
  const parsed = segmenterRecord.safeParse(record);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UserError(
      `expected the record of a model, got one with ${issue.path.join('.') || 'nothing'}: ${issue.message}`,
    );
  }
  const { modelName, imageSize, head, adapter, mode, trainable = [] } = parsed.data;
  const pretrained = await read(modelName);
  const model = segmenterOf(pretrained, { ...head, imageSize, seed });
  try {
    if (adapter) {
      const { name, settings, layers } = adapter;
      model.inject(adapters.make(name, layers ? { ...settings, layers } : settings), seed);
    }
    return model.train(mode === 'custom' ? trainable : mode);
  } catch (error) {
    model.dispose();
    throw error;
  }
}
