import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { tidy } from '../../base/tfjs-core.js';
import type { ImageSize, Size } from '../../data/images/image-size.js';
import { IMAGENET, type Normalization, repeatedNormalization } from '../../data/images/normalization.js';
import type { Random } from '../../random/random-stream.js';
import type { Adapter, Site } from '../adapter.js';
import type { Model, Pass } from '../model.js';
import type { TorchPlace } from '../torch-place.js';
import { adapterSites, type Place } from './adapter-sites.js';
import { type BlockOptions, checkBlockOptions } from './block-options.js';
import { blocks, type Project } from './blocks.js';
import { type Grid, gridOf, type VitConfig } from './config.js';
import { dropPathRates, droppedBlocks } from './drop-path.js';
import { NamedAdapters } from './named-adapters.js';
import { PictureSizes } from './picture-sizes.js';
import { checkStart, startOf, trunkBlocks } from './trunk-blocks.js';
import { embed, levelsOf } from './vit.js';

/**
 * A ViT with adapters on its linear maps, of which at most one is active: the common part of all tasks' models, each of
 * which adds a head.
 *
 * What trains is chosen by `train`: the head alone, an adapter too (`inject` does that), or everything.
 */
export abstract class AdaptableVit extends NamedAdapters implements Model {
  readonly #sizes: PictureSizes;
  /** How many blocks precede an input that is no image. */
  #start: number | undefined;
  #blocks: BlockOptions = {};

  /** The shape of the ViT, for pictures of this model's size. */
  readonly config: VitConfig;
  /** How pixels are normalised, channel by channel. */
  readonly normalization: Normalization;
  /** Width and height of the pictures that it takes. */
  readonly imageSize: Size;

  /** @param outputs how many numbers the model says of one picture */
  constructor(
    config: VitConfig,
    imageSize: ImageSize,
    outputs: number,
    normalization: Normalization = repeatedNormalization(IMAGENET, config.num_channels),
  ) {
    super();
    this.normalization = checkedNormalization(normalization, config);
    this.#sizes = new PictureSizes(config, imageSize, outputs);
    this.imageSize = this.#sizes.own;
    this.config = this.#sizes.config;
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
    for (const size of sizes) this.#sizes.add(size);
    return this;
  }

  /**
   * How the blocks run while the model trains; scoring is as before.
   *
   * @throws UserError for a rate of stochastic depth below 0, or from 1 up.
   * @example
   * model.trainsWith({ dropPath: 0.1, checkpointBlocks: true });
   */
  trainsWith(options: BlockOptions): this {
    checkBlockOptions(options);
    this.#blocks = options;
    return this;
  }

  get #dropPath(): number[] {
    return dropPathRates(this.#blocks.dropPath ?? 0, this.config.num_hidden_layers);
  }

  /** The grid of patches of an input: of images of any size, or of what comes out of the trunk. */
  protected gridOf(inputs: Tensor): Grid {
    return this.#sizes.gridOf(inputs);
  }

  /** Maps normalised images [batch, height, width, channels] to logits. */
  abstract forward(images: Tensor, pass?: Pass): Tensor;

  /** The attribute of a PyTorch model that is the head. @internal */
  readonly headModule: string = 'head';

  /** Where PyTorch keeps the head's parameters, as a module of its own. @internal */
  abstract headPlaces(): TorchPlace[];

  /**
   * How many blocks, from the first, nothing trains in: their output for one picture is the same throughout a training. 0
   * where the embedding trains; blocks with an adapter are none of them, whatever trains.
   */
  get trunkBlocks(): number {
    const adapted = this.adapter && !this.merged ? this.sitesOf(this.adapter).map(({ layer }) => layer) : [];
    return trunkBlocks(this.config, this.parameters, [...adapted, ...droppedBlocks(this.#dropPath)]);
  }

  /**
   * The output of the first blocks, `trunkBlocks` by default: [batch, tokens, hidden]. After `startAfter(blocks)` the
   * model takes it in place of the images.
   */
  trunk(images: Tensor, count = this.trunkBlocks): Tensor {
    this.#sizes.check(images);
    const { config, parameters } = this;
    return tidy(() => {
      const x = embed(config, parameters, images);
      const range = { to: count, grid: this.gridOf(images) };
      return blocks(config, parameters, this.maps.projection(), x, range);
    });
  }

  /**
   * Takes what comes out of the first `count` blocks in place of images, too: such tensors have rank 3.
   *
   * @throws UserError where one of these blocks trains.
   */
  startAfter(count: number): this {
    checkStart(count, this.trunkBlocks);
    this.#start = count;
    return this;
  }

  /** The encoder's output after its last LayerNorm, of images or of the trunk's output: [batch, tokens, hidden]. */
  tokens(inputs: Tensor, pass: Pass = {}): Tensor {
    return this.levels(inputs, [this.config.num_hidden_layers - 1], pass)[0]!;
  }

  /** The tokens after each of these blocks, counted from 0, all through the last LayerNorm; else as `tokens`. */
  levels(inputs: Tensor, layers: readonly number[], pass: Pass = {}): Tensor[] {
    if (pass.random) this.maps.checkStarted();
    return this.#run(inputs, layers, pass, this.maps.projection(pass));
  }

  /** Runs the blocks on inputs, and hands over what each linear map reads. @internal */
  watchMaps(inputs: Tensor, seen: (place: Place, x: Tensor) => void): void {
    const project = this.maps.projection();
    const watched: Project = (layer, target, x) => {
      seen({ layer, target }, x);
      return project(layer, target, x);
    };
    tidy(() => void this.#run(inputs, [this.config.num_hidden_layers - 1], {}, watched));
  }

  #run(inputs: Tensor, layers: readonly number[], { random }: Pass, project: Project): Tensor[] {
    const { config, parameters } = this;
    const from = startOf(inputs, this.#start);
    if (inputs.rank !== 3) this.#sizes.check(inputs);
    return tidy(() => {
      const x = inputs.rank === 3 ? inputs : embed(config, parameters, inputs);
      const recompute = this.#blocks.checkpointBlocks
        ? (random: Random) => this.maps.projection({ random })
        : undefined;
      const range = { from, grid: this.gridOf(inputs), dropPath: this.#dropPath, random, recompute };
      return levelsOf(config, parameters, project, x, layers, range);
    });
  }

  /** The linear maps that an adapter changes in this model. */
  sitesOf(adapter: Adapter): Site[] {
    return adapterSites(adapter, this.config);
  }
}

/** @throws UserError for statistics of other channels than the model's. */
function checkedNormalization(given: Normalization, { num_channels: channels }: VitConfig): Normalization {
  const { mean, std } = given;
  if (mean.length === channels && std.length === channels) return given;
  throw new UserError(
    `normalization: expected a mean and a deviation for each of ${channels} channels, got [${mean}] and [${std}]; see --mean and --std`,
    { mean, std, channels },
  );
}
