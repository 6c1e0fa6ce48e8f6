import type { Tensor } from '@tensorflow/tfjs-core';
import { keep, tensor } from '../../base/tfjs-core.js';
import { randomStream } from '../../random/random-stream.js';
import type { Pass } from '../model.js';
import type { Parameters } from '../parameters.js';
import type { TorchPlace } from '../torch-place.js';

/** Options of a segmentation head. */
export interface HeadOptions {
  /** Number of classes. */
  readonly classes: number;
  /** BatchNorm after the first convolution. Default false. */
  readonly batchNorm?: boolean;
  /** Dropout2d rate after the ReLU, 0 to 1. Default 0. */
  readonly dropout?: number;
  /** Which head, by its name in `heads`. Default `conv`. */
  readonly name?: string;
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
 * @example
 * const linearHead = ({ classes }: HeadOptions): Head => ({
 *   parameters: (hidden) => [
 *     { name: 'weight', shape: [hidden, classes], init: { bound: 1 / Math.sqrt(hidden) } },
 *     { name: 'bias', shape: [classes], init: { value: 0 } },
 *   ],
 *   forward: (grid, { get, patch }) => upsample(linear(grid, get('weight'), get('bias')), patch),
 * });
 */
export interface Head {
  /** In the order in which checkpoints keep them; `hidden` is the width of the features. */
  parameters(hidden: number): readonly HeadParameter[];
  /** Features [batch, rows, columns, hidden] → logits [batch, rows·patch, columns·patch, classes]. */
  forward(grid: Tensor, pass: HeadPass): Tensor;
}

/** Adds a head's parameters to a model, with values drawn from the seed. */
export function addHead(
  parameters: Parameters,
  head: Pick<Head, 'parameters'>,
  hidden: number,
  seed: number,
): void {
  for (const { name, shape, init, buffer = false } of head.parameters(hidden)) {
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
export function headPass(parameters: Parameters, patch: number, pass: Pass): HeadPass {
  return {
    ...pass,
    patch,
    get: (name) => parameters.get(`head.${name}`),
    set: (name, value) => parameters.set(`head.${name}`, keep(value)),
  };
}

/** The head in PyTorch, as a module of its own. */
export function headPlaces(head: Pick<Head, 'parameters'>, hidden: number): TorchPlace[] {
  return head.parameters(hidden).map(({ name, shape, torch = {} }) => ({
    parameter: `head.${name}`,
    key: torch.key ?? name,
    shape: torch.shape ?? shape,
  }));
}
