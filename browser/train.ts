import { type Tensor, tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import { localizedLora } from '../src/adapters/localized-lora.js';
import { lora } from '../src/adapters/lora.js';
import { UserError } from '../src/base/errors.js';
import type { Batch } from '../src/data/batch.js';
import type { Pretrained } from '../src/model/vit/pretrained-of.js';
import { randomStream } from '../src/random/random-stream.js';
import { logCoshDice } from '../src/tasks/segmentation/losses/log-cosh-dice.js';
import { type Segmenter, segmenterOf } from '../src/tasks/segmentation/segmenter.js';
import { adamW } from '../src/train/optimizers/adam.js';
import { Training } from '../src/train/training.js';
import { classesOf, decodePicture, maskIds, modelInput, type Picture } from './picture.js';

/** The settings of a training in a tab. */
export interface TabTraining {
  readonly adapter: 'lora' | 'localized_lora';
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
}

/** A picture and its mask. */
export interface Pair {
  readonly name: string;
  readonly picture: Picture;
  readonly mask: Picture;
}

const ADAPTERS = {
  lora: () => lora({ rank: 8, alpha: 8 }),
  localized_lora: () => localizedLora({ blocks: 4, blockRank: 2, alpha: 8 }),
};

/** Decodes the pictures and the masks of the same names. @throws UserError for a picture without a mask. */
export async function pairsOf(images: readonly File[], masks: readonly File[]): Promise<Pair[]> {
  const stem = ({ name }: File) => name.replace(/\.[^.]*$/, '');
  const byStem = new Map(masks.map((mask) => [stem(mask), mask]));
  const alone = images.find((image) => !byStem.has(stem(image)));
  if (images.length === 0 || alone)
    throw new UserError(
      `expected pictures and a mask of the same name for each, got ${alone ? `no mask for ${alone.name}` : 'no picture'}`,
    );
  return Promise.all(
    images.map(async (image) => ({
      name: stem(image),
      picture: await decodePicture(image),
      mask: await decodePicture(byStem.get(stem(image))!),
    })),
  );
}

/**
 * Trains an adapter and a head on a few pictures, and returns the model; the caller owns it. After each step `told` is
 * called, and says whether to go on.
 */
export async function trainInTab(
  backbone: Pretrained,
  pairs: readonly Pair[],
  options: TabTraining,
  told: (step: number, steps: number, loss: number) => boolean,
): Promise<Segmenter> {
  const { seed, epochs, batchSize, learningRate } = options;
  const classes = classesOf(pairs.map(({ mask }) => mask));
  const model = segmenterOf(backbone, { classes: classes.length, seed });
  model.inject(ADAPTERS[options.adapter](), seed);
  const training = new Training({ model, loss: logCoshDice(), optimizer: adamW(), learningRate, seed });
  const samples = pairs.map(({ picture, mask }) => ({
    image: modelInput(picture, model.imageSize, model.normalization),
    mask: maskIds(mask, model.imageSize, classes),
  }));
  const perEpoch = Math.ceil(samples.length / batchSize);
  try {
    for (let step = 0; step < epochs * perEpoch; step++) {
      const order = shuffled(samples, seed, Math.floor(step / perEpoch));
      const at = (step % perEpoch) * batchSize;
      const batch = batchOf(order.slice(at, at + batchSize), step, model);
      const { loss } = await training.step(batch).finally(() => batch.dispose());
      if (!told(step + 1, epochs * perEpoch, loss)) break;
    }
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    training.dispose();
  }
}

interface Sample {
  readonly image: Float32Array;
  readonly mask: Int32Array;
}

function batchOf(
  samples: readonly Sample[],
  position: number,
  { imageSize: { width, height } }: Segmenter,
): Batch {
  const images = new Float32Array(samples.length * width * height * 3);
  const masks = new Int32Array(samples.length * width * height);
  samples.forEach(({ image, mask }, i) => {
    images.set(image, i * image.length);
    masks.set(mask, i * mask.length);
  });
  const inputs: Tensor = tensor4d(images, [samples.length, height, width, 3]);
  const targets: Tensor = tensor3d(masks, [samples.length, height, width], 'int32');
  const dispose = () => {
    inputs.dispose();
    targets.dispose();
  };
  return { plan: { position, samples: [] } as unknown as Batch['plan'], inputs, targets, dispose };
}

/** Fisher and Yates's shuffle, by the seed and the epoch. */
function shuffled<T>(items: readonly T[], seed: number, epoch: number): T[] {
  const random = randomStream(seed, 'shuffle', epoch);
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
