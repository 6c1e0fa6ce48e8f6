import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { balance } from '../data/balance.js';
import type { Order } from '../data/order.js';
import type { Item } from '../data/types.js';

/** The flag of how often items train. */
export const balanceFlag = z
  .enum(['class', 'weight'])
  .optional()
  .describe(
    'how often each picture trains: class = each class of the labels equally often, weight = by the weight in --manifest, --shards or --parquet; default: once an epoch',
  );

/** What a source may say of an item. */
type Described = Item & { readonly className?: string; readonly weight?: number };

/**
 * The order of the training items that `--balance` asks for; undefined where it is not given. Items without a weight
 * have 1.
 *
 * @throws UserError for an item without a class, and where no item has a weight.
 */
export function balanceOf(
  { balance: how }: { readonly balance?: 'class' | 'weight' | undefined },
  items: readonly Described[],
): Order | undefined {
  if (how === undefined) return undefined;
  if (how === 'weight') {
    if (items.some(({ weight }) => weight !== undefined))
      return balance(items, { weight: ({ weight }) => weight ?? 1 });
    throw new UserError(
      '--balance weight: expected training items with a weight, got none; add a column weight to --manifest or --parquet, or weight to the json of --shards',
    );
  }
  const without = items.find(({ className }) => className === undefined);
  if (!without) return balance(items, { by: ({ className }) => className! });
  throw new UserError(
    `--balance class: expected a label for each picture, got none for ${without.stem}; add a column label to --manifest or --parquet, or cls to --shards`,
  );
}
