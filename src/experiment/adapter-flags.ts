import { z } from 'zod';
import { adapterNamed } from '../adapters/adapters.js';
import { ignored } from '../cli/flag.js';
import type { Adapter } from '../model/adapter.js';
import { adapterFlags, modelFlags } from './training-flags.js';

const noBlocks = (adapter: string) => ignored(`${adapter} has no blocks; --rank says its size`);

/** The flags of each adapter that a recipe trains, with their defaults. */
export const ADAPTER_FLAGS = {
  lora: {
    loraType: z.enum(['lora']).default('lora').describe('what this recipe trains'),
    rank: z.int().min(1).default(4).describe('rank of the change'),
    rsLora: z.boolean().default(false).describe('scale by alpha / √rank'),
    dora: z.boolean().default(false).describe('learn magnitudes apart from directions (DoRA)'),
    ...adapterFlags,
    rBlock: noBlocks('LoRA'),
    numBlocksPerRow: noBlocks('LoRA'),
  },
  serial_lora: {
    loraType: z.enum(['serial_lora']).default('serial_lora').describe('what this recipe trains'),
    rank: z.int().min(1).default(4).describe('rank of the map'),
    perProjection: z.boolean().default(false).describe('a map for each projection, not one for all three'),
    ...adapterFlags,
    rBlock: noBlocks('Serial LoRA'),
    numBlocksPerRow: noBlocks('Serial LoRA'),
    alpha: z.number().gt(0).optional().describe('the map is scaled by alpha / rank; default: not scaled'),
    targets: adapterFlags.targets.default(['query', 'key', 'value']),
  },
  localized_lora: {
    loraType: z.enum(['localized_lora']).default('localized_lora').describe('what this recipe trains'),
    rBlock: z.int().min(1).default(2).describe('rank of each block'),
    numBlocksPerRow: z.int().min(1).default(2).describe('K: a weight is cut into K × K blocks'),
    ...adapterFlags,
    rank: ignored('--r-block and --num-blocks-per-row say the size of Localized LoRA'),
  },
};

type Trained = keyof typeof ADAPTER_FLAGS;

const CHOICES = {
  lora: { flags: 'lora', description: 'with LoRA' },
  dora: { flags: 'lora', description: 'with DoRA' },
  serial_lora: { flags: 'serial_lora', description: 'with Serial LoRA' },
  localized_lora: { flags: 'localized_lora', description: 'with Localized LoRA' },
  none: { flags: 'lora', description: 'without an adapter' },
} as const satisfies Record<string, { readonly flags: Trained; readonly description: string }>;

const CHOICE_NAMES = Object.keys(CHOICES) as (keyof typeof CHOICES)[];

/**
 * The adapter that `--adapter` names on a command line (the last one counts; default lora), with its flags.
 */
export function chosenAdapter(argv: readonly string[]) {
  const words = argv.map((word, i) =>
    word === '--adapter' ? argv[i + 1] : /^--adapter=(.*)$/s.exec(word)?.[1],
  );
  // What is none of these is refused when the flags are read.
  const name = CHOICE_NAMES.find((each) => each === words.findLast((word) => word !== undefined)) ?? 'lora';
  const { flags, description } = CHOICES[name];
  const adapter = z.enum(CHOICE_NAMES).default(name);
  return {
    description,
    modelFlags: name === 'none' ? { mode: modelFlags.mode.default('head') } : {},
    flags: {
      adapter: adapter.describe('what is trained beside the head; the flags below are those of this one'),
      ...(ADAPTER_FLAGS[flags] as (typeof ADAPTER_FLAGS)['lora']),
      ...(name === 'dora' && { dora: ADAPTER_FLAGS.lora.dora.default(true) }),
    },
  };
}

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
  return adapterNamed(loraType, { ...settings, blockRank, blocks, dropout, shared: !perProjection });
}
