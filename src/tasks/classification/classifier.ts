import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { clone, mean, reshape, slice, tensor, tidy } from '../../base/tfjs-core.js';
import type { ImageSize } from '../../data/images/image-size.js';
import { type Normalization, normalizationOf } from '../../data/images/normalization.js';
import { linear } from '../../engine/ops/linear.js';
import type { StoredTensor } from '../../files/safetensors-format.js';
import { addHead, type Head, headPlaces } from '../../model/heads/head.js';
import type { Pass } from '../../model/model.js';
import type { TorchPlace } from '../../model/torch-place.js';
import { withChannels } from '../../model/vit/adapt-channels.js';
import { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { imageSizeOf, leadingPositions, type VitConfig } from '../../model/vit/config.js';
import { chooseInt16 } from '../../model/vit/int16-blocks.js';
import { fromTorchLayout } from '../../model/vit/layout.js';
import { readPretrained } from '../../model/vit/pretrained.js';
import type { Pretrained } from '../../model/vit/pretrained-of.js';
import { addPretrained, addRandomBackbone } from '../../model/vit/vit.js';

/** Options of `loadClassifier`. */
export interface ClassifierOptions {
  readonly classes: number;
  /** `new` (default) starts a head from the seed; `keep` takes the pretrained model's own, of as many classes. */
  readonly head?: 'new' | 'keep';
  /** Size of the images, multiples of the patch size; a number is a square. Default: that of the pretrained model. */
  readonly imageSize?: ImageSize | undefined;
  /** Channels of the images; the patch embedding of a model of 3 is adapted to others. Default: the model's own. */
  readonly channels?: number | undefined;
  /** Statistics of pixels in place of the pretrained model's, or of some of them. */
  readonly normalization?: Partial<Normalization> | undefined;
  /** Seeds the initial weights. */
  readonly seed: number;
}

/**
 * A ViT with a linear classifier on its class token, like transformers' ViTForImageClassification, or on the mean of its
 * tokens where it has none, like SiglipForImageClassification; and at most one adapter on its linear maps.
 */
export class Classifier extends AdaptableVit {
  override readonly headModule = 'classifier';

  constructor(
    config: VitConfig,
    imageSize: ImageSize,
    readonly classes: number,
    normalization?: Normalization,
  ) {
    super(config, imageSize, classes, normalization);
  }

  /** Float32 images [batch, height, width, channels] → logits [batch, classes]. */
  forward(images: Tensor, pass: Pass = {}): Tensor2D {
    return tidy(() => {
      const tokens = this.tokens(images, pass);
      const [batch, , hidden] = tokens.shape as [number, number, number];
      const hasClass = leadingPositions(this.config) > 0;
      const first = () => reshape(slice(tokens, [0, 0, 0], [batch, 1, hidden]), [batch, hidden]);
      const pooled = hasClass ? first() : mean(tokens, 1);
      return linear(pooled, this.parameters.get('head.weight'), this.parameters.get('head.bias')) as Tensor2D;
    });
  }

  headPlaces(): TorchPlace[] {
    return headPlaces(linearHead(this.classes), this.config);
  }

  /** Adds a new head's parameters, with weights drawn from the seed as in PyTorch's `Linear`. */
  addHead(seed: number): void {
    addHead(this.parameters, linearHead(this.classes), this.config, seed);
  }

  /**
   * A new classifier, with its own head and no adapter, on this one's backbone; see `Segmenter.sibling`. The head
   * `keep` starts as this one's is now.
   */
  sibling({
    classes,
    head = 'new',
    seed,
  }: Omit<ClassifierOptions, 'imageSize' | 'normalization' | 'channels'>): Classifier {
    const model = new Classifier(this.config, this.imageSize, classes, this.normalization);
    this.shareBackbone(model);
    model.addHead(seed);
    if (head === 'keep')
      for (const { parameter } of this.headPlaces())
        model.parameters.set(parameter, clone(this.parameters.get(parameter)));
    return model.train('head');
  }
}

/**
 * Loads a pretrained backbone (see `readPretrained`) under a classifier; only the head is trainable.
 *
 * @throws UserError for `head: 'keep'` where the pretrained model has no classifier, or one of other classes.
 * @example
 * const model = (await loadClassifier('google/vit-base-patch16-224', { classes: 37, seed: 42 })).inject(lora({ rank: 16 }), 42);
 */
export async function loadClassifier(name: string, options: ClassifierOptions): Promise<Classifier> {
  return classifierOf(await readPretrained(name), options);
}

/** A classifier on a backbone that was read already. */
export function classifierOf(given: Pretrained, options: ClassifierOptions): Classifier {
  const pretrained = withChannels(given, options.channels);
  const { config } = pretrained;
  const { classes, head = 'new', imageSize = imageSizeOf(config), seed } = options;
  const model = new Classifier(
    config,
    imageSize,
    classes,
    normalizationOf(pretrained, options.normalization),
  );
  try {
    addPretrained(model.parameters, pretrained, model.grid);
    chooseInt16(model);
    model.addHead(seed);
    if (head === 'keep') keepHead(model, pretrained);
    return model.train('head');
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A classifier with a random backbone. Everything trains. */
export function createClassifier(config: VitConfig, options: Omit<ClassifierOptions, 'head'>): Classifier {
  const model = new Classifier(config, options.imageSize ?? imageSizeOf(config), options.classes);
  addRandomBackbone(model.parameters, model.config, options.seed);
  model.addHead(options.seed);
  return model.train('full');
}

function linearHead(classes: number): Pick<Head, 'parameters'> {
  return {
    parameters: (hidden) => {
      const init = { bound: 1 / Math.sqrt(hidden) };
      return [
        { name: 'weight', shape: [hidden, classes], init, torch: { shape: [classes, hidden] } },
        { name: 'bias', shape: [classes], init },
      ];
    },
  };
}

/** Replaces the head by the pretrained model's own classifier. */
function keepHead(model: Classifier, { path, weights }: Pretrained): void {
  for (const { parameter, key, shape } of model.headPlaces()) {
    const stored = narrowed(weights.get(`classifier.${key}`), shape);
    if (stored?.shape.join() !== shape.join())
      throw new UserError(
        `${path}: expected a classifier of ${model.classes} classes to keep, got ${stored ? `one of ${stored.shape[0]}` : 'none'}; use a new one (--head new)`,
        { path, classes: model.classes },
      );
    const value = model.parameters.get(parameter);
    const data = fromTorchLayout(Float32Array.from(stored.data), shape);
    model.parameters.set(parameter, tensor(data, value.shape));
  }
}

/** A weight that reads a vector of two as one that reads the first, where it passes the second over: see `saveClassifier`. */
function narrowed(stored: StoredTensor | undefined, shape: readonly number[]): StoredTensor | undefined {
  const width = shape[1];
  if (!stored || width === undefined || stored.shape.join() !== `${shape[0]},${2 * width}`) return stored;
  const isSecond = (place: number) => place % (2 * width) >= width;
  if (stored.data.some((value, place) => isSecond(place) && value !== 0)) return stored;
  return { ...stored, shape, data: (stored.data as Float32Array).filter((_, place) => !isSecond(place)) };
}
