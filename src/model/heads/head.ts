import type { Tensor } from '@tensorflow/tfjs-core';
import { keep, tensor } from '../../base/tfjs-core.js';
import { randomStream } from '../../random/random-stream.js';
import type { Pass } from '../model.js';
import type { Parameters } from '../parameters.js';
import type { TorchPlace } from '../torch-place.js';
import type { VitConfig } from '../vit/config.js';

/** Options of a segmentation head. */
export interface HeadOptions {
  /** Number of classes. */
  readonly classes: number;
  /** BatchNorm after the first convolution. Default false. */
  readonly batchNorm?: boolean;
  /** Dropout2d rate after the ReLU, 0 to 1. Default 0. */
  readonly dropout?: number;
  /** Which head, by its name in `heads`. Default `study`. */
  readonly name?: string;
  /** Whether auxiliary heads on earlier blocks train with it: see `TrainingOptions.deepSupervision`. Default false. */
  readonly auxiliary?: boolean;
}

/** The ViT under a head. */
export interface HeadSite {
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** Channels of a picture. */
  readonly channels: number;
  /** The number of blocks. */
  readonly depth: number;
}

/** A parameter that a head adds. */
export interface HeadParameter {
  /** Unique in the head; the model calls it `head.<name>`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The initial value: uniform in ±bound, or the same value everywhere. */
  readonly init: { readonly bound: number } | { readonly value: number };
  /** State that the forward pass updates with `set`, without a gradient. Default false. */
  readonly buffer?: boolean;
  /** PyTorch's place for it, if under another key or in another shape; see `TorchPlace`. */
  readonly torch?: { readonly key?: string; readonly shape?: readonly number[] };
}

/** The context of one forward pass for a head. */
export interface HeadPass extends Pass {
  /** The pictures, normalised: [batch, height, width, channels]. Only a head that says `readsImages` may count on them. */
  readonly images: Tensor;
  /** The features after each block of the head's `levels`, normalised as the last ones are; shapes as theirs. */
  readonly levels: readonly Tensor[];
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** The value of one of the head's parameters. */
  readonly get: (name: string) => Tensor;
  /** Updates a buffer. The model keeps this tensor, and frees the one that was there. */
  readonly set: (name: string, value: Tensor) => void;
}

/**
 * A segmentation head: turns a ViT's patch features into logits. The one contract of all segmentation heads.
 *
 * A head sees the last features; those after earlier blocks if it names them in `levels`; and the pictures themselves.
 * It must not assume their size: the pictures of `--scales` and of rectangles are others than the model's own.
 *
 * @example
 * const patchHead = ({ classes }: HeadOptions): Head => ({
 *   parameters: (hidden) => [
 *     { name: 'weight', shape: [hidden, classes], init: { bound: 1 / Math.sqrt(hidden) } },
 *     { name: 'bias', shape: [classes], init: { value: 0 } },
 *   ],
 *   forward: (grid, { get, patch }) => upsample(linear(grid, get('weight'), get('bias')), patch),
 * });
 */
export interface Head {
  /** In the order in which checkpoints keep them; `hidden` is the width of the features. */
  parameters(hidden: number, site: HeadSite): readonly HeadParameter[];
  /** The blocks, from 0, whose features the head reads beside the last ones, in their order. Default: none. */
  levels?(depth: number): readonly number[];
  /** Whether the head reads the pictures: a cached trunk has none. Default false. */
  readonly readsImages?: boolean;
  /** Whether the head says `extras` of `Queries`, which the loss `set` reads. Default false. */
  readonly saysQueries?: boolean;
  /** Features [batch, rows, columns, hidden] → logits [batch, rows·patch, columns·patch, classes]. */
  forward(grid: Tensor, pass: HeadPass): Tensor;
}

/** Adds a head's parameters to a model, with values drawn from the seed. */
export function addHead(
  parameters: Parameters,
  head: Pick<Head, 'parameters'>,
  config: VitConfig,
  seed: number,
): void {
  for (const { name, shape, init, buffer = false } of parametersOf(head, config)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const random = randomStream(seed, 'head', name);
    const data =
      'value' in init
        ? new Float32Array(size).fill(init.value)
        : Float32Array.from({ length: size }, () => (2 * random() - 1) * init.bound);
    const value = tensor(data, [...shape]);
    parameters.add({ name: `head.${name}`, group: 'head', trainable: !buffer, buffer, value });
  }
}

/** The context of a head's pass over a model's parameters. */
export function headPass(
  parameters: Parameters,
  pass: Pass & Pick<HeadPass, 'patch' | 'images' | 'levels'>,
): HeadPass {
  return {
    ...pass,
    get: (name) => parameters.get(`head.${name}`),
    set: (name, value) => parameters.set(`head.${name}`, keep(value)),
  };
}

/** The head in PyTorch, as a module of its own. */
export function headPlaces(head: Pick<Head, 'parameters'>, config: VitConfig): TorchPlace[] {
  return parametersOf(head, config).map(({ name, shape, torch = {} }) => ({
    parameter: `head.${name}`,
    key: torch.key ?? name,
    shape: torch.shape ?? shape,
  }));
}

function parametersOf(head: Pick<Head, 'parameters'>, config: VitConfig): readonly HeadParameter[] {
  return head.parameters(config.hidden_size, {
    patch: config.patch_size,
    channels: config.num_channels,
    depth: config.num_hidden_layers,
  });
}
