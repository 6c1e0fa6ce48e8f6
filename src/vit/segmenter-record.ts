import { z } from 'zod';
import { adapterNamed } from '../adapters/adapter-named.js';
import { UserError } from '../errors.js';
import { type Segmenter, segmenterOf } from './segmenter.js';
import { readPretrained } from './source.js';

/** What a segmenter is made of, as plain data: a checkpoint keeps it, so that the model can be built again. */
export const segmenterRecord = z.object({
  modelName: z.string(),
  imageSize: z.int().min(1),
  head: z.object({
    classes: z.int().min(1),
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
  mode: z.enum(['head', 'adapters', 'full']),
});

export type SegmenterRecord = z.infer<typeof segmenterRecord>;

/** The record of a model on the backbone `modelName`, with what trains in it now. */
export function recordOf(model: Segmenter, modelName: string): SegmenterRecord {
  const { imageSize, head, adapter, parameters } = model;
  const { classes, batchNorm, dropout } = head;
  const groups = new Set(parameters.trainable().map(({ group }) => group));
  return {
    modelName,
    imageSize,
    head: { classes, ...(batchNorm && { batchNorm }), ...(dropout && { dropout }) },
    adapter: adapter
      ? {
          name: adapter.name,
          settings: adapter.settings,
          ...(adapter.layers && { layers: [...adapter.layers] }),
        }
      : null,
    mode: groups.has('backbone') ? 'full' : groups.has('adapter') ? 'adapters' : 'head',
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
  const { modelName, imageSize, head, adapter, mode } = parsed.data;
  const { batchNorm = false, dropout = 0 } = head;
  const pretrained = await read(modelName);
  const model = segmenterOf(pretrained, { classes: head.classes, batchNorm, dropout, imageSize, seed });
  try {
    if (adapter) {
      const { name, settings, layers } = adapter;
      model.inject(adapterNamed(name, layers ? { ...settings, layers } : settings), seed);
    }
    return model.train(mode);
  } catch (error) {
    model.dispose();
    throw error;
  }
}
