import { totalmem } from 'node:os';
import { add, clone, matMul, reshape, slice, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { mergedMap } from '../../adapters/merged-map.js';
import { UserError } from '../../base/errors.js';
import type { LinearMap } from '../../engine/ops/linears.js';
import type { Adapter, AdapterPass, Base, Site } from '../../model/adapter.js';
import { addHead, type HeadOptions, segment } from '../../model/heads/head.js';
import { type Model, Parameters, type Pass } from '../../model/parameters.js';
import type { VitConfig } from '../../model/vit/config.js';
import { IMAGENET, type InputStatistics } from '../../model/vit/preprocessor.js';
import { type Pretrained, readPretrained } from '../../model/vit/pretrained.js';
import type { Target } from '../../model/vit/targets.js';
import { type TrainingMode, trainsIn } from '../../model/vit/training-mode.js';
import { addPretrained, addRandomBackbone, encode, patchGrid } from '../../model/vit/vit.js';
import { randomStream } from '../../random/random-stream.js';

export interface SegmenterOptions extends HeadOptions {
  /** Height and width of the images, a multiple of the patch size. Default: that of the pretrained model. */
  readonly imageSize?: number;
  /** Rules the initial weights. */
  readonly seed: number;
}

/**
 * A ViT with a segmentation head, and at most one adapter on its linear maps.
 *
 * What trains is chosen by `train`: the head alone, an adapter too (`inject` does that), or everything.
 */
export class Segmenter implements Model {
  readonly parameters = new Parameters();
  adapter: Adapter | undefined;
  readonly #sites = new Map<string, Site>();
  #unmerged: Map<string, Tensor> | undefined;

  constructor(
    readonly config: VitConfig,
    readonly imageSize: number,
    readonly head: HeadOptions,
    readonly normalization: InputStatistics = IMAGENET,
  ) {
    if (imageSize % config.patch_size !== 0)
      throw new UserError(
        `image size: expected a multiple of the patch size ${config.patch_size}, got ${imageSize}; see --image-size`,
        { imageSize },
      );
    checkMemory(config, imageSize, head.classes);
  }

  /** Float32 images [batch, size, size, 3] → logits [batch, size, size, classes]. */
  forward(images: Tensor, pass: Pass = {}): Tensor {
    return tidy(() =>
      segment(this.parameters, patchGrid(this.tokens(images, pass)), this.config.patch_size, this.head, pass),
    );
  }

  /** The encoder's output after its last LayerNorm: [batch, 1 + patches, hidden]. */
  tokens(images: Tensor, pass: Pass = {}): Tensor {
    const { imageSize: side } = this;
    if (images.rank !== 4 || images.shape[1] !== side || images.shape[2] !== side || images.shape[3] !== 3)
      throw new UserError(
        `images: expected [batch, ${side}, ${side}, 3], got [${images.shape.join(', ')}]; decode(model.imageSize), or load the model with another imageSize`,
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
        (layer, target, x) => this.#project(layer, target, x, { ...pass, once }),
        images,
      ),
    );
  }

  /** Adds an adapter, with parameters drawn from the seed; adapter and head train, the backbone does not. */
  inject(adapter: Adapter, seed: number): this {
    if (this.adapter)
      throw new UserError(`expected a model without an adapter, got one with ${this.adapter.name}`);
    // All sites first: where the adapter refuses one, the model is unchanged.
    const sites = this.sitesOf(adapter).map((site) => ({ site, brought: adapter.parameters(site) }));
    for (const { site, brought } of sites) {
      this.#sites.set(`${site.layer}.${site.target}`, site);
      for (const { name, shape, init } of brought) {
        if (this.parameters.has(name)) continue;
        const value =
          typeof init === 'number'
            ? uniform(shape, init, seed, name)
            : tidy(() => init(this.parameters.get(`${siteName(site)}.weight`)));
        this.parameters.add({ name, group: 'adapter', trainable: true, value });
      }
    }
    this.adapter = adapter;
    return this.train('adapters');
  }

  /** Which parameters train: `head`, `adapters` (and head), `full` (everything), or those of these names alone. */
  train(which: TrainingMode | readonly string[]): this {
    if (typeof which !== 'string') {
      const odd = which.find((name) => !this.parameters.has(name) || this.parameters.parameter(name).buffer);
      if (odd !== undefined)
        throw new UserError(`train: expected names of parameters of the model, got ${odd}`, { name: odd });
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
    const { adapter } = this;
    if (!adapter || this.#unmerged) return;
    const merged = new Map<string, Tensor>();
    try {
      for (const site of this.#sites.values()) {
        const map = mergedMap(adapter, site, this.#base(site), this.#own(site));
        for (const part of ['weight', 'bias'] as const) {
          const name = `${siteName(site)}.${part}`;
          if (map[part] !== this.parameters.get(name)) merged.set(name, map[part]);
        }
      }
    } catch (error) {
      for (const value of merged.values()) value.dispose();
      throw error;
    }
    this.#unmerged = new Map();
    for (const [name, value] of merged) {
      const parameter = this.parameters.parameter(name);
      this.#unmerged.set(name, parameter.value);
      parameter.value = value;
    }
  }

  /** Puts back the very weights that `merge` replaced. */
  unmerge(): void {
    for (const [name, value] of this.#unmerged ?? []) this.parameters.set(name, value);
    this.#unmerged = undefined;
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
    if (this.#unmerged)
      throw new UserError(
        `sibling: expected a backbone as it is, got one with ${this.adapter!.name} merged into it`,
      );
    const { config, imageSize, normalization } = this;
    const model = new Segmenter(config, imageSize, head, normalization);
    for (const parameter of this.parameters)
      if (parameter.group === 'backbone')
        model.parameters.add({ ...parameter, value: clone(parameter.value) });
    addHead(model.parameters, config.hidden_size, head, seed);
    return model.train('head');
  }

  /** The linear maps that an adapter changes in this model. */
  sitesOf({ targets, layers }: Adapter): Site[] {
    const { num_hidden_layers: count, hidden_size: d, intermediate_size: wide } = this.config;
    for (const layer of layers ?? [])
      if (!Number.isInteger(layer) || layer < 0 || layer >= count)
        throw new UserError(`layers: expected blocks from 0 to ${count - 1}, got ${layer}; see --layers`, {
          layer,
        });
    return (layers ?? [...Array(count).keys()]).flatMap((layer) =>
      targets.map((target) => ({
        layer,
        target,
        inputs: target === 'fc2' ? wide : d,
        outputs: target === 'fc1' ? wide : d,
      })),
    );
  }

  dispose(): void {
    this.unmerge();
    this.parameters.dispose();
  }

  #project(
    layer: number,
    target: Target,
    x: Tensor,
    pass: Pick<AdapterPass, 'random' | 'once'>,
  ): Tensor | LinearMap {
    const base = this.#base({ layer, target });
    const site = this.#unmerged ? undefined : this.#sites.get(`${layer}.${target}`);
    if (!site || !this.adapter) return { x, ...base };
    return this.adapter.apply(site, x, base, { ...pass, own: this.#own(site) });
  }

  #base(site: Pick<Site, 'layer' | 'target'>): Base {
    const weight = this.parameters.parameter(`${siteName(site)}.weight`);
    const bias = this.parameters.parameter(`${siteName(site)}.bias`);
    return { weight: weight.value, bias: bias.value, frozen: !weight.trainable && !bias.trainable };
  }

  #own(site: Site): (part: string) => Tensor {
    const names = this.adapter!.parameters(site).map(({ name }) => name);
    return (part) => {
      const name = names.find((full) => full.endsWith(`.${part}`));
      if (!name) throw new Error(`${this.adapter!.name} has no parameter ${part}`);
      return this.parameters.get(name);
    };
  }
}

/**
 * Loads a pretrained backbone (see `readPretrained`) under a new segmentation head; head and no more trains.
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

/** The logits of an image classifier's checkpoint: its own linear layer on the class token. */
export function classify(tokens: Tensor, { weights }: Pretrained): Tensor {
  const [weight, bias] = [weights.get('classifier.weight')!, weights.get('classifier.bias')!];
  return tidy(() => {
    const [batch, , hidden] = tokens.shape as [number, number, number];
    const cls = reshape(slice(tokens, [0, 0, 0], [batch, 1, hidden]), [batch, hidden]);
    const product = matMul(
      cls as Tensor,
      tensor(weight.data as Float32Array, [...weight.shape]),
      false,
      true,
    );
    return add(product, tensor(bias.data as Float32Array, [...bias.shape]));
  });
}

/**
 * Refuses an image size that no memory holds: one picture takes at least its pixels and logits, the tokens of a layer,
 * and the attention scores of a head, in float32.
 */
function checkMemory(config: VitConfig, imageSize: number, classes: number): void {
  const tokens = 1 + (imageSize / config.patch_size) ** 2;
  const least = 4 * (imageSize ** 2 * (3 + classes) + tokens * config.hidden_size + tokens ** 2);
  const there = totalmem();
  if (least <= there) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
  throw new UserError(
    `image size: expected one that fits into ${gib(there)} of memory, got ${imageSize}, at which one picture takes ${gib(least)}; see --image-size`,
    { imageSize, least },
  );
}

function siteName({ layer, target }: Pick<Site, 'layer' | 'target'>): string {
  return `layers.${layer}.${target}`;
}

function uniform(shape: readonly number[], bound: number, seed: number, name: string): Tensor {
  const random = randomStream(seed, 'adapter', name);
  const size = shape.reduce((a, b) => a * b, 1);
  const data =
    bound === 0
      ? new Float32Array(size)
      : Float32Array.from({ length: size }, () => (2 * random() - 1) * bound);
  return tensor(data, [...shape]);
}
