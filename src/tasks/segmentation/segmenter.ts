import type { Tensor } from '@tensorflow/tfjs-core';
import { tidy } from '../../base/tfjs-core.js';
import { type ImageSize, sizeOf } from '../../data/images/image-size.js';
import { type Normalization, normalizationOf } from '../../data/images/normalization.js';
import { auxiliaryHeads } from '../../model/heads/auxiliary-heads.js';
import { addHead, type Head, type HeadOptions, headPass, headPlaces } from '../../model/heads/head.js';
import { DEFAULT_HEAD, heads } from '../../model/heads/heads.js';
import type { Extras } from '../../model/loss.js';
import type { Pass } from '../../model/model.js';
import type { TorchPlace } from '../../model/torch-place.js';
import { withChannels } from '../../model/vit/adapt-channels.js';
import { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { imageSizeOf, type VitConfig } from '../../model/vit/config.js';
import { chooseInt16 } from '../../model/vit/int16-blocks.js';
import type { Pretrained } from '../../model/vit/pretrained-of.js';
import { addPretrained, addRandomBackbone, patchGrid } from '../../model/vit/vit.js';

/** Options of `loadSegmenter`. */
export interface SegmenterOptions extends HeadOptions {
  /** Size of the images, multiples of the patch size; a number is a square. Default: that of the pretrained model. */
  readonly imageSize?: ImageSize;
  /** Channels of the images; the patch embedding of a model of 3 is adapted to others. Default: the model's own. */
  readonly channels?: number | undefined;
  /** Statistics of pixels in place of the pretrained model's, or of some of them. */
  readonly normalization?: Partial<Normalization> | undefined;
  /** Seeds the initial weights. */
  readonly seed: number;
}

/** A ViT with a segmentation head, and at most one adapter on its linear maps. */
export class Segmenter extends AdaptableVit {
  readonly #head: Head;
  /** The head with its auxiliary ones, if it has any. */
  readonly #trained: Head;

  constructor(
    config: VitConfig,
    imageSize: ImageSize,
    readonly head: HeadOptions,
    normalization?: Normalization,
  ) {
    const { width, height } = sizeOf(imageSize);
    super(config, imageSize, width * height * head.classes, normalization);
    this.#head = heads.make(head.name ?? DEFAULT_HEAD, head);
    this.#trained = head.auxiliary ? auxiliaryHeads(this.#head, head) : this.#head;
  }

  /** Float32 images [batch, height, width, channels], or `trunk`'s output, → logits [batch, height, width, classes]. */
  forward(images: Tensor, pass: Pass = {}): Tensor {
    const { parameters, config } = this;
    const head = pass.auxiliary ? this.#trained : this.#head;
    const { logits, others, extras } = tidy(() => {
      const { patch_size: patch, num_hidden_layers: depth } = config;
      const size = this.gridOf(images);
      const layers = [...(head.levels?.(depth) ?? []), depth - 1];
      const levels = this.levels(images, layers, pass).map((tokens) => patchGrid(tokens, size));
      const grid = levels.pop()!;
      const others: Tensor[] = [];
      const auxiliary = (outputs: Tensor) => void others.push(outputs);
      let extras: Extras = {};
      const keep = (said: Extras) => {
        extras = said;
      };
      const asked = { ...(pass.auxiliary && { auxiliary }), ...(pass.extras && { extras: keep }) };
      const given = { ...pass, ...asked, patch, images, levels };
      const logits = head.forward(grid, headPass(parameters, given));
      return { logits, others, extras };
    });
    for (const outputs of others) pass.auxiliary?.(outputs);
    pass.extras?.(extras);
    return logits;
  }

  /** Whether the head says the queries that the loss `set` reads. */
  get saysQueries(): boolean {
    return this.#head.saysQueries ?? false;
  }

  /** As far as the head allows, too, which may read earlier blocks, or the pictures themselves. */
  override get trunkBlocks(): number {
    const { num_hidden_layers: depth } = this.config;
    const { readsImages, levels } = this.#trained;
    const read = readsImages ? [-1] : (levels?.(depth) ?? []);
    return Math.min(super.trunkBlocks, ...read.map((layer) => layer + 1));
  }

  headPlaces(): TorchPlace[] {
    return headPlaces(this.#head, this.config);
  }

  /** Adds the head's parameters, with weights drawn from the seed. */
  addHead(seed: number): void {
    addHead(this.parameters, this.#trained, this.config, seed);
  }

  /**
   * A new segmenter, with its own head and no adapter, on this one's backbone: the weights exist once, and are freed
   * with the last segmenter that uses them. What one of them changes of its backbone, the others do not see.
   *
   * @throws UserError while an adapter is merged into the backbone.
   * @example
   * const models = [1, 2, 3].map((seed) => model.sibling({ classes: 3, seed }));
   */
  sibling({ seed, ...head }: Omit<SegmenterOptions, 'imageSize' | 'normalization' | 'channels'>): Segmenter {
    const model = new Segmenter(this.config, this.imageSize, head, this.normalization);
    this.shareBackbone(model);
    model.addHead(seed);
    return model.train('head');
  }
}

/** A segmenter on a backbone that was read already. */
export function segmenterOf(given: Pretrained, options: SegmenterOptions): Segmenter {
  const pretrained = withChannels(given, options.channels);
  const { imageSize = imageSizeOf(pretrained.config), seed } = options;
  const model = new Segmenter(
    pretrained.config,
    imageSize,
    options,
    normalizationOf(pretrained, options.normalization),
  );
  try {
    addPretrained(model.parameters, pretrained, model.grid);
    chooseInt16(model);
  } catch (error) {
    model.dispose();
    throw error;
  }
  model.addHead(seed);
  return model.train('head');
}

/** A segmenter with a random backbone: the start of a pretraining. Everything trains. */
export function createSegmenter(config: VitConfig, options: SegmenterOptions): Segmenter {
  const model = new Segmenter(config, options.imageSize ?? imageSizeOf(config), options);
  addRandomBackbone(model.parameters, model.config, options.seed);
  model.addHead(options.seed);
  return model.train('full');
}
