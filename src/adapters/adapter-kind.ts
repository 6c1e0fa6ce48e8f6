import { z } from 'zod';
import { unique } from '../cli/flag.js';
import type { Adapter, AdapterOptions } from '../model/adapter.js';
import { TARGETS } from '../model/targets.js';

/** The settings of an adapter: the flags of a recipe, or `adapter.settings` from a checkpoint. */
export type AdapterSettings = Readonly<Record<string, unknown>>;

/** A flag's values that a search tries. */
export interface SearchedFlag {
  /** Its parameter in the study. Default: the flag's name with `_`. */
  readonly name?: string;
  readonly choices: readonly (number | string | boolean)[];
  /** Where a search begins. Default: the flag's default, or else the first choice. */
  readonly first?: number | string | boolean;
  /** Whether a backbone of this hidden size takes the value. Default: any does. */
  readonly fits?: (value: number, hiddenSize: number) => boolean;
}

/** What recipes and studies ask of an adapter: it answers for itself, and none of them knows it by name. */
export interface AdapterKind<F extends z.ZodRawShape = z.ZodRawShape> {
  /** How a training with it is called in help, such as `with LoRA`. */
  readonly description: string;
  /** Its flags, with defaults and help texts. */
  readonly flags: F;
  /** Why it has no use for those of `SHARED_FLAGS` that it lacks; they are then taken and ignored. Default: refused. */
  readonly ignores?: string;
  /** The settings that its flags stand for. Default: the flags, with `dropout` for `adapterDropout`. */
  readonly settings?: (flags: z.output<z.ZodObject<F>>) => AdapterSettings;
  /** The flags that stand for settings: the inverse of `settings`. Default: the settings, with `adapterDropout` for `dropout`. */
  readonly flagsOf?: (settings: AdapterSettings) => AdapterSettings;
  /** The flags that a search varies. Default: none, and learning rates alone are searched. */
  readonly search?: { readonly [K in keyof F]?: SearchedFlag };
  /**
   * Its flags at a rank, for a study of ranks: a map gets as many parameters as LoRA of that rank brings, and its change
   * has the weight `scale`, which is alpha / rank of LoRA. `flags` are its others. Absent where no rank says its size.
   */
  readonly atRank?: (rank: number, scale: number, flags: AdapterSettings) => AdapterSettings;
  /** The flag that says its size: the number of its parameters grows with it. Absent where it has none. */
  readonly sizeFlag?: string;
  /** Its flags beside other adapters, by those of one command line for all. Default: the same. */
  readonly inStudy?: (flags: AdapterSettings) => AdapterSettings;
}

/** An entry of the catalogue of adapters: the function that makes one, and what it declares. */
export type AdapterEntry = ((settings: AdapterSettings) => Adapter) & Partial<AdapterKind>;

/**
 * An adapter for the catalogue, which declares its flags, its search space and its size.
 *
 * @example
 * const twice = defineAdapter(({ rank }) => ({ ...lora({ rank: Number(rank), alpha: 2 * Number(rank) }), name: 'twice' }), {
 *   description: 'with LoRA of twice the weight',
 *   flags: { rank: z.int().min(1).default(4).describe('rank of the update') },
 *   search: { rank: { choices: [2, 4, 8] } },
 * });
 * adapters.register('twice', twice);
 */
export function defineAdapter<F extends z.ZodRawShape>(
  make: (settings: AdapterSettings) => Adapter,
  kind: AdapterKind<F>,
): AdapterEntry {
  return Object.assign((settings: AdapterSettings) => make(settings), kind as unknown as AdapterKind);
}

/** Flags of an adapter's scale and place, as most have them. */
export const placeFlags = {
  alpha: z.number().gt(0).default(16).describe('scale of the adapter, as alpha / rank'),
  targets: unique(z.array(z.enum(TARGETS)).min(1), 'map')
    .default(['query', 'value'])
    .describe('linear maps of a block to adapt'),
  layers: unique(z.array(z.int().min(0)).min(1), 'block')
    .optional()
    .describe('blocks to adapt, counted from 0; default: all'),
  exclude: unique(z.array(z.string().regex(/^layers\.\d+\.\w+$/)), 'map')
    .optional()
    .describe('maps of these blocks to leave alone, such as layers.0.query; default: none'),
  adapterDropout: z.number().min(0).lt(1).default(0).describe("dropout on the adapter's input"),
};

const { alpha: _scale, ...unscaled } = placeFlags;

/** Flags of the place of an adapter that has no scale. */
export const unscaledPlaceFlags = unscaled;

/** The part of an adapter that says which maps it leaves alone, from its options. */
export function placeOf({ layers, exclude }: AdapterOptions): Pick<Adapter, 'layers' | 'exclude'> {
  return { ...(layers && { layers }), ...(exclude && exclude.length > 0 && { exclude }) };
}

/** The flags that one command line has for all adapters, as upstream's scripts give them. */
export const SHARED_FLAGS = ['rank', 'alpha', 'targets', 'adapterDropout', 'rBlock', 'numBlocksPerRow'];

/** Choices of alpha, as upstream searched them. */
export const SEARCHED_ALPHA: SearchedFlag = {
  name: 'lora_alpha',
  choices: [4, 8, 16, 32, 64],
  first: 16,
};

/** Choices of a rank, as upstream searched them. */
export const SEARCHED_RANK: SearchedFlag = {
  name: 'lora_rank',
  choices: [4, 8, 16, 32],
  fits: (rank, hiddenSize) => rank <= hiddenSize,
};
