import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { addHead, type HeadOptions, headPlaces, segment } from '../../model/heads/head.js';
import type { Pass } from '../../model/model.js';
import type { TorchPlace } from '../../model/torch-place.js';
import { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import type { VitConfig } from '../../model/vit/config.js';
import type { InputStatistics } from '../../model/vit/preprocessor.js';
import { type Pretrained, readPretrained } from '../../model/vit/pretrained.js';
import { addPretrained, addRandomBackbone, patchGrid } from '../../model/vit/vit.js';

export interface SegmenterOptions extends HeadOptions {
  /** Height and width of the images, a multiple of the patch size. Default: that of the pretrained model. */
  readonly imageSize?: number;
  /** Seeds the initial weights. */
  readonly seed: number;
}

/** A ViT with a segmentation head, and at most one adapter on its linear maps. */
export class Segmenter extends AdaptableVit {
  constructor(
    config: VitConfig,
    imageSize: number,
    readonly head: HeadOptions,
    normalization?: InputStatistics,
  ) {
    super(config, imageSize, imageSize ** 2 * head.classes, normalization);
  }

  /** Float32 images [batch, size, size, 3] → logits [batch, size, size, classes]. */
  forward(images: Tensor, pass: Pass = {}): Tensor {
    return tidy(() =>
      segment(this.parameters, patchGrid(this.tokens(images, pass)), this.config.patch_size, this.head, pass),
    );
  }

  headPlaces(): TorchPlace[] {
    return headPlaces(this.parameters, this.config.hidden_size, this.head);
  }

  /**
   * A new segmenter, with a head of its own and no adapter, on this one's backbone: the weights are there once, and
   * freed with the last segmenter that uses them. What one of them changes of its backbone, the others do not see.
   *
   * @throws UserError while an adapter is merged into the backbone.
   * @example
   * const models = [1, 2, 3].map((seed) => model.sibling({ classes: 3, seed }));
   */
  sibling({ seed, ...head }: Omit<SegmenterOptions, 'imageSize'>): Segmenter {
    const model = new Segmenter(this.config, this.imageSize, head, this.normalization);
    this.shareBackbone(model);
    addHead(model.parameters, this.config.hidden_size, head, seed);
    return model.train('head');
  }
}

/**
 * Loads a pretrained backbone (see `readPretrained`) under a new segmentation head; only the head is trainable.
 *
 * @example
 * const model = (await loadSegmenter('google/vit-base-patch16-224', { classes: 3, seed: 42 })).inject(lora({ rank: 16 }), 42);
 */
export async function loadSegmenter(name: string, options: SegmenterOptions): Promise<Segmenter> {
  return segmenterOf(await readPretrained(name), options);
}

/** A segmenter on a backbone that is read already. */
export function segmenterOf(pretrained: Pretrained, options: SegmenterOptions): Segmenter {
  const { imageSize = pretrained.config.image_size, seed } = options;
  const model = new Segmenter(pretrained.config, imageSize, options, pretrained.normalization);
  try {
    addPretrained(model.parameters, pretrained, imageSize);
  } catch (error) {
    model.dispose();
    throw error;
  }
  addHead(model.parameters, pretrained.config.hidden_size, options, seed);
  return model.train('head');
}

/** A segmenter whose backbone starts at random, too: what a pretraining starts from. Everything trains. */
export function createSegmenter(config: VitConfig, options: SegmenterOptions): Segmenter {
  const model = new Segmenter(config, options.imageSize ?? config.image_size, options);
  addRandomBackbone(model.parameters, config, options.seed);
  addHead(model.parameters, config.hidden_size, options, options.seed);
  return model.train('full');
}
