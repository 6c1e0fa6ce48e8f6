import type { z } from 'zod';
import type { AdapterSettings } from '../adapters/adapter-kind.js';
import { adapterKind, adapters } from '../adapters/adapters.js';
import { UserError } from '../base/errors.js';
import type { Adapter } from '../model/adapter.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { adapterSites } from '../model/vit/adapter-sites.js';
import { adapterOf, flagsOf } from './adapter-flags.js';

/** The size that adapters are brought to. */
export interface MatchedSize {
  /** The rank of LoRA whose number of parameters the others come nearest to. */
  readonly rank: number;
  /** alpha / size of those that have an alpha. */
  readonly scale: number;
}

/**
 * How many parameters an adapter trains in a model: those that it declares for each map, without buffers, each once
 * though maps share it, and those of the backbone that it trains.
 */
export function adapterParameters(adapter: Adapter, { config, parameters }: AdaptableVit): number {
  const sizes = new Map<string, number>();
  for (const site of adapterSites(adapter, config))
    for (const { name, shape, buffer } of adapter.parameters(site))
      if (!buffer)
        sizes.set(
          name,
          shape.reduce((a, b) => a * b, 1),
        );
  for (const { name, group, value } of parameters)
    if (group === 'backbone' && adapter.trains?.(name)) sizes.set(name, value.size);
  return [...sizes.values()].reduce((a, b) => a + b, 0);
}

/**
 * The flags of each adapter at the size whose number of parameters is nearest to that of LoRA at a rank; the smaller of
 * two. An adapter without a size keeps its own flags.
 */
export function matchedFlags(
  name: string,
  shared: object,
  { rank, scale }: MatchedSize,
  model: AdaptableVit,
): AdapterSettings {
  if (!adapters.has(name)) return {};
  const wanted = countAt('lora', shared, { rank, scale }, model);
  const { sizeFlag } = adapterKind(name);
  if (sizeFlag === undefined) return flagsAt(name, shared, { rank, scale });
  let best = { size: 1, gap: Number.POSITIVE_INFINITY };
  for (let size = 1; ; size++) {
    const count = countIfFits(name, shared, { rank: size, scale }, model);
    if (count === undefined) break;
    const gap = Math.abs(count - wanted);
    if (gap < best.gap) best = { size, gap };
    if (count >= wanted) break;
  }
  return flagsAt(name, shared, { rank: best.size, scale });
}

/** The flags of an adapter at a size, with its alpha in proportion. */
function flagsAt(name: string, shared: object, { rank: size, scale }: MatchedSize): AdapterSettings {
  const { flags, sizeFlag, inStudy } = adapterKind(name);
  const own = {
    ...flagsOf(flags, shared),
    ...(sizeFlag !== undefined && { [sizeFlag]: size }),
    ...('alpha' in flags && { alpha: scale * size }),
  };
  return inStudy?.(own) ?? own;
}

function countAt(name: string, shared: object, size: MatchedSize, model: AdaptableVit): number {
  const { flags } = adapterKind(name);
  const settings = Object.fromEntries(
    Object.entries(flags).map(([key, type]) => [key, (type as z.ZodType).safeParse(undefined).data]),
  );
  const own = Object.fromEntries(
    Object.entries(flagsAt(name, shared, size)).filter(([, value]) => value !== undefined),
  );
  return adapterParameters(adapterOf({ ...settings, ...own, loraType: name }), model);
}

/** Undefined for a size that no map of the model takes. */
function countIfFits(...parameters: Parameters<typeof countAt>): number | undefined {
  try {
    return countAt(...parameters);
  } catch (error) {
    if (error instanceof UserError && parameters[2].rank > 1) return undefined;
    throw error;
  }
}
