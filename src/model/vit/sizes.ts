import type { Json } from '../../files/json-file.js';
import type { NamedWeights } from './names.js';
import { blockOf } from './trunk-blocks.js';

/** The sizes of a ViT that the shapes of its tensors show. */
export interface Sizes {
  readonly hidden: number;
  readonly blocks: number;
  readonly wide: number;
  readonly patch: number;
  /** Of a picture. */
  readonly channels: number;
  /** The side of the grid of patches that the positions are for, if any; a fraction if it is not square. */
  readonly side: number | undefined;
}

/** Reads a ViT's sizes off its tensors; `missing` is called with the first name that is not there, or of another rank. */
export function sizesOf(weights: NamedWeights, missing: (name: string) => never): Sizes {
  const shape = (name: string, rank: number) => {
    const dims = weights.get(name)?.shape;
    return dims?.length === rank ? dims : missing(name);
  };
  const [hidden, channels, patch] = shape('patch.weight', 4) as [number, number, number, number];
  const leading = weights.has('cls') ? 1 : 0;
  return {
    hidden,
    patch,
    channels,
    side: weights.has('positions') ? Math.sqrt(shape('positions', 3)[1]! - leading) : undefined,
    wide: shape('layers.0.fc1.weight', 2)[0]!,
    blocks: countBlocks(weights.keys()),
  };
}

/** The number of blocks in the names of tensors. */
export function countBlocks(names: Iterable<string>): number {
  const layers = new Set<number>();
  for (const name of names) {
    const layer = blockOf(name);
    if (layer !== undefined) layers.add(layer);
  }
  return layers.size;
}

/** The keys of `vitConfig` that sizes tell. */
export function shapeOf(
  { hidden, blocks, wide, patch, channels }: Sizes,
  heads: number | '…',
  eps: number,
): Json {
  return {
    hidden_size: hidden,
    num_hidden_layers: blocks,
    num_attention_heads: heads,
    intermediate_size: wide,
    layer_norm_eps: eps,
    patch_size: patch,
    ...(channels !== 3 && { num_channels: channels }),
  };
}
