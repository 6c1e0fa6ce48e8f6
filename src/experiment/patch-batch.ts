import { tensor3d, tensor4d } from '../base/tfjs-core.js';
import type { Batch } from '../data/batch.js';
import { FAMILIES } from '../data/creatures/families.js';
import { scene } from '../data/creatures/scene.js';
import { randomStream } from '../random/random-stream.js';

/** The side of a drawn scene and of a patch of it, in pixels. */
export const PATCHES = { size: 96, patch: 8 } as const;

const { size: SIZE, patch: PATCH } = PATCHES;
const SIDE = SIZE / PATCH;
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/**
 * A batch of drawn scenes, each with any family as its main figure; a target is the family that covers most of a
 * patch.
 */
export function patchBatch(seed: number, use: string, position: number, size: number): Batch {
  const images = new Float32Array(size * SIZE * SIZE * 3);
  const labels = new Int32Array(size * SIDE * SIDE);
  for (let i = 0; i < size; i++) {
    const random = randomStream(seed, 'pretraining', use, position, i);
    const family = FAMILIES[Math.floor(FAMILIES.length * random())]!;
    const picture = scene(random, SIZE, SIZE, family);
    picture.image.forEach((value, k) => {
      images[i * picture.image.length + k] = (value / 255 - MEAN[k % 3]!) / STD[k % 3]!;
    });
    for (let patch = 0; patch < SIDE * SIDE; patch++)
      labels[i * SIDE * SIDE + patch] = mostFrequent(picture.labels, patch % SIDE, Math.floor(patch / SIDE));
  }
  const tensors = {
    inputs: tensor4d(images, [size, SIZE, SIZE, 3]),
    targets: tensor3d(labels, [size, SIDE, SIDE], 'int32'),
  };
  const dispose = () => Object.values(tensors).forEach((tensor) => tensor.dispose());
  return { plan: { epoch: 1, batch: 0, batches: 1, position, samples: [] }, ...tensors, dispose };
}

function mostFrequent(labels: Uint8Array, column: number, row: number): number {
  const counts = new Uint8Array(FAMILIES.length + 1);
  for (let y = row * PATCH; y < (row + 1) * PATCH; y++)
    for (let x = column * PATCH; x < (column + 1) * PATCH; x++) counts[labels[y * SIZE + x]!]!++;
  return counts.indexOf(Math.max(...counts));
}
