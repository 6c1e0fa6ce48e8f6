import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
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

/** @throws UserError for a count of first blocks of which one trains. */
export function checkStart(count: number, trunk: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= trunk) return;
  throw new UserError(
    `startAfter: expected from 0 to ${trunk} blocks, below which nothing trains, got ${count}`,
    { count },
  );
}

/** The block that takes these inputs: 0 for images, `start` for the output of blocks. @throws UserError without one. */
export function startOf(inputs: Tensor, start: number | undefined): number {
  const from = inputs.rank === 3 ? start : 0;
  if (from !== undefined) return from;
  throw new UserError('expected images, got the output of blocks; call startAfter(blocks) first');
}
