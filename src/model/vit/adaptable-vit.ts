import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { clone, tidy } from '../../base/tfjs-core.js';
import { type ImageSize, type Size, sizeOf } from '../../data/images/image-size.js';
import { IMAGENET, type Normalization } from '../../data/images/normalization.js';
import type { Adapter, Site } from '../adapter.js';
import { type Model, type Pass } from '../model.js';
import { Parameters } from '../parameters.js';
import type { TorchPlace } from '../torch-place.js';
import { AdaptedMaps } from './adapted-maps.js';
import { adapterSites } from './adapter-sites.js';
import { checkImageSize } from './check-image-size.js';
import { checkMemory } from './check-memory.js';
import { type Grid, gridOf, type VitConfig, withImageSize } from './config.js';
import { type TrainingMode, trainsIn } from './training-mode.js';
import { encode } from './vit.js';

/**
 * A ViT with at most one adapter on its linear maps: the common part of all tasks' models, each of which adds a head.
 *
 * What trains is chosen by `train`: the head alone, an adapter too (`inject` does that), or everything.
 */
export abstract class AdaptableVit implements Model {
  readonly parameters = new Parameters();
  readonly #maps = new AdaptedMaps(this.parameters);
  /** The shapes of pictures that it takes beside its own. */
  readonly #sizes = new Set<string>();

  /** The shape of the ViT, for pictures of this model's size. */
  readonly config: VitConfig;
  /** Width and height of the pictures that it takes. */
  readonly imageSize: Size;

  /** @param outputs how many numbers the model says of one picture */
  constructor(
    config: VitConfig,
    imageSize: ImageSize,
    outputs: number,
    readonly normalization: Normalization = IMAGENET,
  ) {
    this.imageSize = sizeOf(imageSize);
    this.config = withImageSize(config, this.imageSize);
    checkImageSize(this.imageSize, config.patch_size);
    checkMemory(config, this.imageSize, outputs);
  }

  /** The grid of patches of a picture. */
  get grid(): Grid {
    return gridOf(this.config);
  }

  /**
   * Takes pictures of these sizes, too, whose position embeddings are interpolated at each pass: for training on several
   * scales.
   *
   * @throws UserError for a size that patches do not fill, and for one that cannot fit into memory.
   */
  takes(sizes: readonly Size[]): this {
    for (const size of sizes) {
      checkImageSize(size, this.config.patch_size);
      checkMemory(this.config, size, 0);
      this.#sizes.add(shapeOf(size));
    }
    return this;
  }

  /** Maps normalised images [batch, height, width, 3] to logits. */
  abstract forward(images: Tensor, pass?: Pass): Tensor;

  /** Where PyTorch keeps the head's parameters, as a module of its own. @internal */
  abstract headPlaces(): TorchPlace[];

  /** The adapter that was injected, if any. */
  get adapter(): Adapter | undefined {
    return this.#maps.adapter;
  }

  /** Whether the adapter is folded into the backbone's weights. */
  get merged(): boolean {
    return this.#maps.merged;
  }

  /** Refuses a model whose weights alone do not say what it computes. @internal */
  checkPlain(operation: string): void {
    if (this.adapter && !this.merged)
      throw new UserError(
        `${operation}: expected a model without an adapter or with a merged one, got ${this.adapter.name}; merge() it first`,
        { adapter: this.adapter.name },
      );
  }

  /** The encoder's output after its last LayerNorm: [batch, 1 + patches, hidden]. */
  tokens(images: Tensor, pass: Pass = {}): Tensor {
    const { width, height } = this.imageSize;
    const shape = images.shape.slice(1).join();
    if (images.rank !== 4 || (shape !== shapeOf(this.imageSize) && !this.#sizes.has(shape)))
      throw new UserError(
        `images: expected [batch, ${height}, ${width}, 3], got [${images.shape.join(', ')}]; decode(model.imageSize), or load the model with another imageSize`,
      );
    const shared = new Map<string, Tensor>();
    const once = (key: string, compute: () => Tensor) => {
      const value = shared.get(key) ?? compute();
      shared.set(key, value);
      return value;
    };
    return tidy(() =>
      encode(
        this.config,
        this.parameters,
        (layer, target, x) => this.#maps.project({ layer, target }, x, { ...pass, once }),
        images,
      ),
    );
  }

  /** Adds an adapter, with parameters drawn from the seed; adapter and head train, the backbone does not. */
  inject(adapter: Adapter, seed: number): this {
    this.#maps.inject(adapter, this.sitesOf(adapter), seed);
    return this.train('adapters');
  }

  /** Which parameters train: `head`, `adapters` (and head), `full` (everything), or those of these names alone. */
  train(which: TrainingMode | readonly string[]): this {
    if (typeof which !== 'string') {
      const wrongName = which.find(
        (name) => !this.parameters.has(name) || this.parameters.parameter(name).buffer,
      );
      if (wrongName !== undefined)
        throw new UserError(`train: expected names of parameters of the model, got ${wrongName}`, {
          name: wrongName,
        });
    }
    for (const parameter of this.parameters) parameter.trainable = trainsIn(which, parameter);
    return this;
  }

  /**
   * Folds the adapter into the backbone's weights: the same function, without its cost. `unmerge` takes it out.
   *
   * @throws UserError where the adapter cannot be merged, or its `merged` is not what its `apply` is; the model is then
   * unchanged.
   */
  merge(): void {
    this.#maps.merge();
  }

  /** Restores the exact weights that `merge` replaced. */
  unmerge(): void {
    this.#maps.unmerge();
  }

  /**
   * Shares this model's backbone with one that has none yet. The weights are there once, and freed with the last
   * model that uses them; what one of them changes of its backbone, the others do not see.
   *
   * @throws UserError while an adapter is merged into the backbone.
   */
  protected shareBackbone(model: AdaptableVit): void {
    if (this.#maps.merged)
      throw new UserError(
        `sibling: expected an unmerged backbone, got one with ${this.adapter!.name} merged into it`,
      );
    for (const { adopted, ...parameter } of this.parameters)
      if (parameter.group === 'backbone' || adopted)
        model.parameters.add({ ...parameter, group: 'backbone', value: clone(parameter.value) });
  }

  /** The linear maps that an adapter changes in this model. */
  sitesOf(adapter: Adapter): Site[] {
    return adapterSites(adapter, this.config);
  }

  /** Frees all weights, merged ones too. */
  dispose(): void {
    this.unmerge();
    this.parameters.dispose();
  }
}

/** The shape of a picture of a size. */
function shapeOf({ width, height }: Size): string {
  return `${height},${width},3`;
}
