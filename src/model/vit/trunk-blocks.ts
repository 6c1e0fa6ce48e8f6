import type { Parameters } from '../parameters.js';
import type { VitConfig } from './config.js';

/** The block of a parameter by its name; undefined for one outside the blocks. */
export function blockOf(name: string): number | undefined {
  const layer = /^layers\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? undefined : Number(layer);
}

/** How many blocks, from the first, come before all that trains of the backbone, and before the adapted ones. */
export function trunkBlocks(
  { num_hidden_layers: count }: VitConfig,
  parameters: Parameters,
  adapted: readonly number[],
): number {
  const trained = parameters
    .trainable()
    .filter(({ group, adopted }) => group === 'backbone' || adopted)
    .map(({ name }) => blockOf(name) ?? (name.startsWith('norm.') ? count : 0));
  return Math.min(count, ...adapted, ...trained);
}
