import { dirname } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import type { SplitStems } from '../data/recorded-split.js';
import { writeFolderAtomic } from '../files/atomic.js';
import { sha256 } from '../files/digest.js';
import { recordPaths } from '../files/recorded-paths.js';
import { safetensorsBytes } from '../files/safetensors-format.js';
import { CHECKPOINT_FILES, type CheckpointInfo } from './checkpoint.js';
import { infoDigest } from './info-digest.js';
import { stateNumbers, stateTensors } from './optimizers/state-tree.js';
import type { RunState } from './run-state.js';

/**
 * Writes everything that a resumed run needs into a folder, whole or not at all: `parameters.safetensors` (what training
 * may have changed), `optimizer.safetensors`, `checkpoint.json`, and `splits.json`, the pictures of each split.
 *
 * @throws UserError for a run that was disposed: its optimiser has no state any more.
 */
export async function writeCheckpoint(
  path: string,
  { training, sums, memory }: RunState,
  details: Pick<CheckpointInfo, 'epoch' | 'score' | 'config' | 'versions'>,
  splits?: SplitStems,
): Promise<void> {
  if (training.disposed)
    throw new UserError(`${path}: expected a run to save, got one that was disposed; save it before`, {
      path,
    });
  const parameters = training.model.parameters.changing();
  // All that is saved is taken before anything is awaited: the run may be stopped, and disposed, meanwhile.
  const now: Omit<CheckpointInfo, 'sha256'> = {
    format: 'millrace-checkpoint',
    version: 1,
    position: training.position,
    seed: training.seed,
    sums: { ...sums },
    numbers: stateNumbers(training.state),
    schedule: { ...training.schedule.state },
    memory: structuredClone(memory),
    ...details,
    paths: recordPaths(details.config, dirname(path)),
  };
  const [parameterBytes, stateBytes] = await Promise.all([
    bytesOf(new Map(parameters.map(({ name, value }) => [name, value]))),
    bytesOf(stateTensors(training.state)),
  ]);
  const files: Record<string, Uint8Array> = {
    ...(splits && { [CHECKPOINT_FILES.splits]: Buffer.from(`${JSON.stringify(splits, null, 1)}\n`) }),
    [CHECKPOINT_FILES.parameters]: parameterBytes,
    [CHECKPOINT_FILES.state]: stateBytes,
  };
  const digests = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]));
  const info: CheckpointInfo = { ...now, sha256: digests };
  const whole = { ...info, sha256: { ...digests, [CHECKPOINT_FILES.info]: infoDigest(info) } };
  await writeFolderAtomic(path, { ...files, [CHECKPOINT_FILES.info]: `${JSON.stringify(whole, null, 2)}\n` });
}

/** The bytes of tensors as they are now, also where they are freed before all are read. */
async function bytesOf(tensors: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const copies = [...tensors].map(([name, value]) => [name, value.clone()] as const);
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array | Int32Array }>();
  try {
    for (const [name, value] of copies)
      stored.set(name, { shape: value.shape, data: (await value.data()) as Float32Array | Int32Array });
  } finally {
    for (const [, copy] of copies) copy.dispose();
  }
  return safetensorsBytes(stored);
}
