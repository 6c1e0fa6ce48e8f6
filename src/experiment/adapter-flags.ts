import { z } from 'zod';
import { adapters } from '../adapters/adapters.js';
import { ignored, nameIn } from '../cli/flag.js';
import type { Adapter } from '../model/adapter.js';
import { adapterFlags, modelFlags } from './training-flags.js';

const noBlocks = (adapter: string) => ignored(`${adapter} has no blocks; --rank says its size`);

/** The flags of each adapter that a recipe trains, with their defaults. */
export const ADAPTER_FLAGS = {
  lora: {
    loraType: z.enum(['lora']).default('lora').describe('adapter of this recipe'),
    rank: z.int().min(1).default(4).describe('rank of the update'),
    rsLora: z.boolean().default(false).describe('scale by alpha / √rank'),
    dora: z.boolean().default(false).describe('learn magnitudes and directions separately (DoRA)'),
    ...adapterFlags,
    rBlock: noBlocks('LoRA'),
    numBlocksPerRow: noBlocks('LoRA'),
  },
  serial_lora: {
    loraType: z.enum(['serial_lora']).default('serial_lora').describe('adapter of this recipe'),
    rank: z.int().min(1).default(4).describe('rank of the map'),
    perProjection: z
      .boolean()
      .default(false)
      .describe('one map for each projection instead of one for all three'),
    ...adapterFlags,
    rBlock: noBlocks('Serial LoRA'),
    numBlocksPerRow: noBlocks('Serial LoRA'),
    alpha: z.number().gt(0).optional().describe('scale of the map, as alpha / rank; default: no scaling'),
    targets: adapterFlags.targets.default(['query', 'key', 'value']),
  },
  localized_lora: {
    loraType: z.enum(['localized_lora']).default('localized_lora').describe('adapter of this recipe'),
    rBlock: z.int().min(1).default(2).describe('rank of each block'),
    numBlocksPerRow: z.int().min(1).default(2).describe('K: a weight is cut into K × K blocks'),
    ...adapterFlags,
    rank: ignored('--r-block and --num-blocks-per-row say the size of Localized LoRA'),
  },
};

/** BitFit and LayerNorm tuning have no size and no scale. */
const partialFlags = (name: string) => {
  const nothing = ignored(`${name} only chooses which parameters of the backbone train`);
  return {
    loraType: z.enum([name]).default(name).describe('adapter of this recipe'),
    layers: adapterFlags.layers,
    ...Object.fromEntries(
      ['rank', 'alpha', 'targets', 'adapterDropout', 'rBlock', 'numBlocksPerRow'].map((key) => [
        key,
        nothing,
      ]),
    ),
  };
};

/** The flags for a user's own adapter, which chooses its own defaults. */
const ownFlags = (name: string) => ({
  loraType: z.enum([name]).default(name).describe('adapter of this recipe'),
  rank: z.int().min(1).optional().describe('its rank'),
  rBlock: z.int().min(1).optional().describe('its rank of a block'),
  numBlocksPerRow: z.int().min(1).optional().describe('its blocks along a side of a weight'),
  ...adapterFlags,
  alpha: z.number().gt(0).optional().describe('its scale'),
  targets: adapterFlags.targets.unwrap().optional().describe('the linear maps of a block that are adapted'),
});

interface AdapterChoice {
  readonly description: string;
  readonly flags: z.ZodRawShape;
}

const CHOICES: Readonly<Record<string, AdapterChoice>> = {
  lora: { description: 'with LoRA', flags: ADAPTER_FLAGS.lora },
  dora: {
    description: 'with DoRA',
    flags: { ...ADAPTER_FLAGS.lora, dora: ADAPTER_FLAGS.lora.dora.default(true) },
  },
  serial_lora: { description: 'with Serial LoRA', flags: ADAPTER_FLAGS.serial_lora },
  localized_lora: { description: 'with Localized LoRA', flags: ADAPTER_FLAGS.localized_lora },
  bitfit: { description: 'with BitFit', flags: partialFlags('bitfit') },
  ln_tuning: { description: 'by its LayerNorms', flags: partialFlags('ln_tuning') },
  none: { description: 'without an adapter', flags: ADAPTER_FLAGS.lora },
};

/**
 * The adapter that `--adapter` names on a command line (the last one counts; default lora), with its flags. A name that is
 * none of the package's is that of an adapter that a plugin registers.
 */
export function chosenAdapter(argv: readonly string[]) {
  const words = argv.map((word, i) =>
    word === '--adapter' ? argv[i + 1] : /^--adapter=(.*)$/s.exec(word)?.[1],
  );
  const name = words.findLast((word) => word !== undefined) ?? 'lora';
  const { description, flags } = Object.hasOwn(CHOICES, name)
    ? CHOICES[name]!
    : { description: `with ${name}`, flags: ownFlags(name) };
  return {
    description,
    modelFlags: name === 'none' ? { mode: modelFlags.mode.default('head') } : {},
    flags: {
      adapter: nameIn(adapters, ['none'])
        .refine(
          (named) => named === name,
          'expected it on the command line, where it decides on the other flags',
        )
        .default(name)
        .describe('adapter to train; the flags below belong to it'),
      ...(flags as (typeof ADAPTER_FLAGS)['lora']),
    },
  };
}

/** The flags that choose an adapter and its settings; see `adapterOf`. */
export interface ChosenAdapterSettings {
  readonly loraType: string;
  readonly rBlock?: number | string | undefined;
  readonly numBlocksPerRow?: number | string | undefined;
  readonly adapterDropout: number;
  readonly perProjection?: boolean;
}

/** The adapter of a recipe's settings. */
export function adapterOf(settings: ChosenAdapterSettings): Adapter {
  const { loraType, rBlock: blockRank, numBlocksPerRow: blocks, adapterDropout: dropout } = settings;
  const { perProjection = false } = settings;
  return adapters.make(loraType, { ...settings, blockRank, blocks, dropout, shared: !perProjection });
}
