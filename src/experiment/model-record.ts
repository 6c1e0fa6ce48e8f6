import { z } from 'zod';
import { adapters } from '../adapters/adapters.js';
import { UserError } from '../base/errors.js';
import type { Normalization } from '../data/images/normalization.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { TRAINING_MODES, trainingMode } from '../model/vit/training-mode.js';

/** A size of pictures as records hold it: a square is one number. */
export const recordedSize = z.union([
  z.int().min(1),
  z.object({ width: z.int().min(1), height: z.int().min(1) }),
]);

/** The backbone of a record, whatever the task. */
export const backboneRecord = {
  modelName: z.string(),
  imageSize: recordedSize,
  /** Present where it is not 3, to which the pretrained model's patch embedding is adapted. */
  channels: z.int().min(1).optional(),
  /** Present where the run has other statistics than the pretrained model. */
  normalization: z.object({ mean: z.array(z.number()), std: z.array(z.number()) }).optional(),
};

/** Statistics of pixels that were asked for in place of the pretrained model's. */
export interface NormalizationSettings {
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/** The statistics that were asked for, as an option of a model. */
export function askedNormalization({ mean, std }: NormalizationSettings): Partial<Normalization> {
  return { ...(mean && { mean }), ...(std && { std }) };
}

/** What a record holds of a model's normalization: nothing where it is the pretrained model's. */
export function recordedNormalization(settings: NormalizationSettings, { normalization }: AdaptableVit) {
  return settings.mean || settings.std ? { normalization } : {};
}

/** What a record holds of a model's channels: nothing of three. */
export function recordedChannels({ config: { num_channels: channels } }: AdaptableVit) {
  return channels === 3 ? {} : { channels };
}

/** The trainable part of a model, whatever the task: its adapter, and its mode. */
export const trainedRecord = {
  adapter: z
    .object({
      name: z.string(),
      settings: z.record(z.string(), z.unknown()),
      layers: z.array(z.number()).optional(),
      exclude: z.array(z.string()).optional(),
    })
    .nullable(),
  /** `custom` where a choice of the user's own trains: `trainable` names it. */
  mode: z.enum([...TRAINING_MODES, 'custom']),
  trainable: z.array(z.string()).optional(),
};

type TrainedRecord = z.infer<z.ZodObject<typeof trainedRecord>>;

/**
 * The record of the trainable part of a model.
 *
 * @throws UserError for an adapter that could not be built again, since none here has its name.
 */
export function trainedIn({ adapter, parameters }: AdaptableVit): TrainedRecord {
  const mode = trainingMode(parameters);
  if (adapter && !adapters.has(adapter.name))
    throw new UserError(
      `adapter: expected one of ${adapters.names.join(', ')} in the record of a model, got ${adapter.name}, which a checkpoint could not restore; train it without a record, or merge() it`,
      { adapter: adapter.name },
    );
  return {
    adapter: adapter
      ? {
          name: adapter.name,
          settings: adapter.settings,
          ...(adapter.layers && { layers: [...adapter.layers] }),
          ...(adapter.exclude && { exclude: [...adapter.exclude] }),
        }
      : null,
    ...(typeof mode === 'string' ? { mode } : { mode: 'custom', trainable: mode }),
  };
}

/**
 * Injects the adapter of a record into a model, and makes the recorded parts trainable. Frees the model where it
 * cannot.
 */
export function trainAs<M extends AdaptableVit>(model: M, record: TrainedRecord, seed: number): M {
  const { adapter, mode, trainable = [] } = record;
  try {
    if (adapter) {
      const { name, settings, layers, exclude } = adapter;
      const place = { ...(layers && { layers }), ...(exclude && { exclude }) };
      model.inject(adapters.make(name, { ...settings, ...place }), seed);
    }
    return model.train(mode === 'custom' ? trainable : mode);
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A record as a checkpoint holds it. @throws UserError where it is none. */
export function parseRecord<R>(schema: z.ZodType<R>, record: unknown): R {
  const parsed = schema.safeParse(record);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new UserError(
    `expected the record of a model, got one with ${issue.path.join('.') || 'nothing'}: ${issue.message}`,
  );
}
