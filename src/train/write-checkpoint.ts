import { dirname } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { SplitStems } from '../data/recorded-split.js';
import { writeFolderAtomic } from '../files/atomic.js';
import { sha256 } from '../files/digest.js';
import { recordPaths } from '../files/recorded-paths.js';
import { safetensorsBytes } from '../files/safetensors.js';
import { CHECKPOINT_FILES, type CheckpointInfo } from './checkpoint.js';
import { infoDigest } from './info-digest.js';
import { stateNumbers, stateTensors } from './optimizers/state-tree.js';
import type { RunState } from './run-state.js';

/**
 * Writes everything that a resumed run needs into a folder, whole or not at all: `parameters.safetensors` (what training
 * may have changed), `optimizer.safetensors`, `checkpoint.json`, and `splits.json`, the pictures of each split.
 */
export async function writeCheckpoint(
  path: string,
  { training, sums, memory }: RunState,
  details: Pick<CheckpointInfo, 'epoch' | 'score' | 'config' | 'versions'>,
  splits?: SplitStems,
): Promise<void> {
  const parameters = training.model.parameters.changing();
  const files: Record<string, Uint8Array> = {
    ...(splits && { [CHECKPOINT_FILES.splits]: Buffer.from(`${JSON.stringify(splits, null, 1)}\n`) }),
    [CHECKPOINT_FILES.parameters]: await bytesOf(new Map(parameters.map(({ name, value }) => [name, value]))),
    [CHECKPOINT_FILES.state]: await bytesOf(stateTensors(training.state)),
  };
  const digests = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)]));
  const info: CheckpointInfo = {
    format: 'millrace-checkpoint',
    version: 1,
    position: training.position,
    seed: training.seed,
    sums,
    numbers: stateNumbers(training.state),
    schedule: training.schedule.state ?? {},
    memory,
    ...details,
    paths: recordPaths(details.config, dirname(path)),
    sha256: digests,
  };
  const whole = { ...info, sha256: { ...digests, [CHECKPOINT_FILES.info]: infoDigest(info) } };
  await writeFolderAtomic(path, { ...files, [CHECKPOINT_FILES.info]: `${JSON.stringify(whole, null, 2)}\n` });
}

async function bytesOf(tensors: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const stored = new Map<string, { shape: readonly number[]; data: Float32Array | Int32Array }>();
  for (const [name, value] of tensors)
    stored.set(name, { shape: value.shape, data: (await value.data()) as Float32Array | Int32Array });
  return safetensorsBytes(stored);
}
