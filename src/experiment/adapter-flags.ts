import { z } from 'zod';
import { SHARED_FLAGS } from '../adapters/adapter-kind.js';
import { adapterKind, adapters } from '../adapters/adapters.js';
import { ignored, nameIn, readUnless, type WhyUnread } from '../cli/flag.js';
import type { Peek } from '../cli/peek.js';
import type { Adapter } from '../model/adapter.js';

/** Flags that name an adapter, read before those that it brings. */
const naming = {
  adapter: nameIn(adapters, ['none']).optional(),
  loraType: nameIn(adapters).optional(),
};

const withoutAdapter = z
  .enum(['head', 'full'])
  .default('head')
  .describe('trainable parameters: the head alone, or all weights');

/** Whose flags a training without an adapter takes; they do nothing. */
const DEFAULT = 'lora';

/**
 * The adapter of a command line, with its flags: by `--adapter`, or `--lora-type` as the config files of studies have it
 * (default lora). Those of the usual flags that it has no use for are taken and ignored, where it says why.
 *
 * @throws UserError for a name that is not in the catalogue.
 */
export function chosenAdapter(peek: Peek) {
  const { adapter, loraType = DEFAULT } = peek(naming);
  const name = adapter ?? loraType;
  const kind = adapterKind(name === 'none' ? DEFAULT : name);
  const { ignores } = kind;
  const useless = ignores === undefined ? [] : SHARED_FLAGS.filter((key) => !(key in kind.flags));
  const flags = {
    adapter: nameIn(adapters, ['none'])
      .default(name)
      .describe('adapter to train; the flags below belong to it'),
    loraType: loraTypeFlag(name === 'none' ? DEFAULT : name),
    ...adapterFlags(kind.flags),
    ...Object.fromEntries(useless.map((key) => [key, ignored(ignores!)])),
  };
  return {
    description: name === 'none' ? 'without an adapter' : kind.description,
    modelFlags: name === 'none' ? { mode: withoutAdapter } : {},
    // Its own flags differ from adapter to adapter: `adapterOf` finds them in the settings.
    flags: flags as Pick<typeof flags, 'adapter' | 'loraType'>,
  };
}

/** Flags of an adapter, which are read where a training has one. */
export function adapterFlags(flags: z.ZodRawShape): Record<string, z.ZodType> {
  const why: WhyUnread = ({ mode, backboneFrozen, freezeEpochs }) => {
    if (backboneFrozen === true && freezeEpochs === undefined)
      return '--backbone-frozen trains the head without an adapter';
    return typeof mode === 'string' && mode !== 'adapters' ? `--mode ${mode} trains no adapter` : undefined;
  };
  const types = Object.entries(flags) as [string, z.ZodType][];
  return Object.fromEntries(
    types.map(([key, type]) => [key, key === 'loraType' ? type : readUnless(type, why)]),
  );
}

/** The name of an adapter in a run's settings and in the run's name. */
export function loraTypeFlag(name: string): z.ZodType<string, string | undefined> {
  const loraType = adapterKind(name).flags['loraType'] as z.ZodType<string, string | undefined> | undefined;
  return loraType ?? z.enum([name]).default(name).describe('adapter of this recipe');
}

/** The settings of a run that an adapter is made from: its name, and the flags that it declares. */
export interface ChosenAdapterSettings {
  readonly loraType: string;
}

/** The adapter of a recipe's settings. */
export function adapterOf(settings: ChosenAdapterSettings): Adapter {
  const { flags, settings: fromFlags = usualSettings } = adapterKind(settings.loraType);
  return adapters.make(settings.loraType, fromFlags(flagsOf(flags, settings)));
}

/** The settings that are flags of an adapter. */
export function flagsOf(flags: z.ZodRawShape, settings: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(settings).filter(([key, value]) => key in flags && value !== undefined),
  );
}

function usualSettings({ adapterDropout: dropout, ...flags }: Readonly<Record<string, unknown>>) {
  return { ...flags, dropout };
}
