import { z } from 'zod';
import { recordedPaths } from '../files/recorded-paths.js';
import type { StoredTensor } from '../files/safetensors-format.js';

/** The files of a checkpoint's folder. */
export const CHECKPOINT_FILES = {
  info: 'checkpoint.json',
  parameters: 'parameters.safetensors',
  state: 'optimizer.safetensors',
  splits: 'splits.json',
} as const;

const numbers = z.record(z.string(), z.number().nullable());
/** The contents of `checkpoint.json`. */
export const checkpointInfo = z.object({
  format: z.literal('millrace-checkpoint'),
  version: z.literal(1),
  /** Batches consumed; resume with `batchPlans(…, { from: position })`. */
  position: z.int().min(0),
  epoch: z.int().min(0),
  /** Randomness is a pure function of seed, purpose and position: together these are the whole state of the RNG. */
  seed: z.number(),
  /** Sums over the current epoch; JSON writes a NaN loss as null. */
  sums: z.object({
    loss: z
      .number()
      .nullable()
      .transform((loss) => loss ?? Number.NaN),
    images: z.number(),
    seconds: z.number(),
    skipped: z.number().default(0),
  }),
  /** The plain numbers in the optimiser's state. */
  numbers: z.record(z.string(), z.number()),
  schedule: numbers,
  memory: z.record(z.string(), numbers),
  /** The score that decides which checkpoint is the best. */
  score: z.object({ metric: z.string(), mode: z.enum(['min', 'max']), value: z.number() }).nullable(),
  config: z.record(z.string(), z.unknown()),
  /** Locations of the files that `config` names. */
  paths: recordedPaths.optional(),
  versions: z.record(z.string(), z.string()),
  /**
   * Digests by file; that of `checkpoint.json` itself is an `infoDigest`, which checkpoints of earlier versions lack.
   */
  sha256: z.partialRecord(z.enum(CHECKPOINT_FILES), z.string()),
});

/** The contents of `checkpoint.json`. */
export type CheckpointInfo = z.infer<typeof checkpointInfo>;

/** The contents of a checkpoint's folder. */
export interface Checkpoint {
  readonly path: string;
  readonly info: CheckpointInfo;
  /** Adapter, head and buffers, by parameter name. */
  readonly parameters: ReadonlyMap<string, StoredTensor>;
  readonly state: ReadonlyMap<string, StoredTensor>;
}
