import { z } from 'zod';
import type { AdapterKind, SearchedFlag } from '../adapters/adapter-kind.js';
import { adapterKind } from '../adapters/adapters.js';
import { flagName } from '../cli/flag.js';
import type { Trial } from '../study/trial.js';

type Choice = number | string | boolean;

const RATE: SearchedFlag = { choices: [1e-5, 1e-4, 1e-3, 1e-2], first: 1e-3 };

/**
 * What every search varies beside the adapter, with upstream's names and choices. A search begins at the defaults of the
 * training recipes, but for `lr`, whose 2e-3 is not one of upstream's choices; 1e-3 is the nearest.
 */
const TRAINING = {
  lr: RATE,
  lrVitBackbone: RATE,
  lrSegHead: { ...RATE, first: 1e-2 },
  weightDecay: { choices: [1e-4, 1e-3, 1e-2] },
} satisfies Record<string, SearchedFlag>;

/** The settings that a search chooses: those of the training, and flags of the adapter. */
export type SearchedSettings = Readonly<Record<keyof typeof TRAINING, number>> & {
  readonly freezeEpochs?: number;
};

/** Upstream's name for the number of epochs that train only the head. */
const FREEZE = 'freeze_epochs';

/** A search space over the settings of an adapter and its training. */
export interface AdapterSearch {
  /** The parameters to begin with: those of the training recipe's defaults, or nearest to them. */
  readonly first: Readonly<Record<string, Choice>>;
  /** The values of each parameter, by its name in the study: what a grid is made of. */
  readonly space: Readonly<Record<string, readonly Choice[]>>;
  /** All settings; those that are not searched are where a search begins. */
  suggest(trial: Trial): SearchedSettings;
  /** Converts a trial's parameters to flags of the training recipe. */
  chosen(params: Trial['params']): Readonly<Record<string, unknown>>;
}

/**
 * The search space of an adapter, as it declares it, or of the head alone, with the learning rates and the weight decay.
 * Values that the backbone's hidden size does not fit are left out. The head alone has one learning rate, its own.
 *
 * @throws UserError for an adapter that is not in the catalogue.
 */
export function adapterSearch(
  settings: {
    readonly loraType: string;
    readonly mode: string;
    readonly separateLr: boolean;
    readonly freezeEpochs?: readonly number[] | undefined;
  },
  hiddenSize: number,
): AdapterSearch {
  const { loraType, mode, separateLr, freezeEpochs = [] } = settings;
  const rates = mode === 'head' ? (['lrSegHead'] as const) : (['lrVitBackbone', 'lrSegHead'] as const);
  const training = [...(separateLr ? rates : (['lr'] as const)), 'weightDecay' as const];
  const searched = [
    ...(mode === 'adapters' ? searchedFlags(adapterKind(loraType), hiddenSize) : []),
    ...training.map((key) => ({ key, ...searchedFlag(key, TRAINING[key], hiddenSize) })),
  ];
  const freezing = { key: 'freezeEpochs', name: FREEZE, choices: freezeEpochs, first: freezeEpochs[0]! };
  const all = freezeEpochs.length > 0 ? [...searched, freezing] : searched;
  const defaults = Object.fromEntries(Object.entries(TRAINING).map(([key, flag]) => [key, firstOf(flag)]));
  const settingsOf = (params: Trial['params']) =>
    Object.fromEntries(all.map(({ key, name }) => [key, params[name]]));
  return {
    space: Object.fromEntries(all.map(({ name, choices }) => [name, choices])),
    first: Object.fromEntries(all.map(({ name, first }) => [name, first])),
    suggest: (trial) => {
      for (const { name, choices } of all) trial.suggestCategorical(name, [...choices]);
      return { ...defaults, ...settingsOf(trial.params) } as SearchedSettings;
    },
    chosen: settingsOf,
  };
}

/** What a search varies of an adapter. */
function searchedFlags({ flags, search = {} }: AdapterKind, hiddenSize: number) {
  return Object.entries(search as Record<string, SearchedFlag>).map(([key, flag]) => {
    const byDefault = z.safeParse(flags[key]!, undefined).data;
    const first = flag.first ?? flag.choices.find((choice) => choice === byDefault);
    return { key, ...searchedFlag(key, { ...flag, ...(first !== undefined && { first }) }, hiddenSize) };
  });
}

function searchedFlag(key: string, flag: SearchedFlag, hiddenSize: number) {
  const { name = flagName(key).replaceAll('-', '_'), fits = () => true } = flag;
  const choices = flag.choices.filter((choice) => typeof choice !== 'number' || fits(choice, hiddenSize));
  return { name, choices, first: firstOf(flag) };
}

function firstOf({ first, choices }: SearchedFlag): Choice {
  return first ?? choices[0]!;
}
