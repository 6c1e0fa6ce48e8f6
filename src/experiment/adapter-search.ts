import type { Trial } from '../study/trial.js';

const RATES = [1e-5, 1e-4, 1e-3, 1e-2];

/**
 * By flag: its name in the study, as upstream has it, its choices, and where a search begins: the default of the training
 * recipes, but for `lr`, whose 2e-3 is no choice of upstream's; 1e-3 is the nearest.
 */
const SPACE = {
  rank: ['lora_rank', [4, 8, 16, 32], 4],
  rBlock: ['r_block', [2, 4, 8, 16], 2],
  numBlocksPerRow: ['num_blocks', [2, 4, 8, 16], 2],
  alpha: ['lora_alpha', [4, 8, 16, 32, 64], 16],
  lr: ['lr', RATES, 1e-3],
  lrVitBackbone: ['lr_vit_backbone', RATES, 1e-3],
  lrSegHead: ['lr_seg_head', RATES, 1e-2],
  weightDecay: ['weight_decay', [1e-4, 1e-3, 1e-2], 1e-4],
} as const satisfies Record<string, readonly [string, readonly number[], number]>;

type Key = keyof typeof SPACE;
/** Settings of a training that a search proposes. */
export type SearchedSettings = Record<Key, number> & { readonly freezeEpochs?: number };

/** Upstream's name for the number of epochs that train only the head. */
const FREEZE = 'freeze_epochs';

/** A search space over the settings of an adapter and its training. */
export interface AdapterSearch {
  /** The parameters of the first trial: the training recipe's defaults, or the nearest choices. */
  readonly first: Readonly<Record<string, number>>;
  /** The values of each parameter, by its name in the study: the points of a grid. */
  readonly space: Readonly<Record<string, readonly number[]>>;
  /** All settings; those that are not searched have the values where a search begins. */
  suggest(trial: Trial): SearchedSettings;
  /** Converts a trial's parameters to flags of the training recipe. */
  chosen(params: Trial['params']): Partial<SearchedSettings>;
}

/**
 * The search space that upstream had for an adapter, or for the head alone; K must divide the hidden size, and no rank is
 * above it. The head alone has one learning rate, its own.
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
  const size: Key[] = loraType === 'localized_lora' ? ['rBlock', 'numBlocksPerRow'] : ['rank'];
  const rates: Key[] = mode === 'head' ? ['lrSegHead'] : ['lrVitBackbone', 'lrSegHead'];
  const keys: Key[] = [
    ...(mode === 'adapters' ? [...size, 'alpha' as const] : []),
    ...(separateLr ? rates : (['lr'] as const)),
    'weightDecay',
  ];
  const defaults = Object.fromEntries(Object.entries(SPACE).map(([key, [, , value]]) => [key, value]));
  const fits: Partial<Record<Key, (value: number) => boolean>> = {
    numBlocksPerRow: (blocks) => hiddenSize % blocks === 0,
    rank: (rank) => rank <= hiddenSize,
    rBlock: (rank) => rank <= hiddenSize,
  };
  const choices = (key: Key) => SPACE[key][1].filter((value) => fits[key]?.(value) ?? true);
  const settingsOf = (params: Trial['params']) => {
    const frozen = params[FREEZE];
    return {
      ...(Object.fromEntries(keys.map((key) => [key, params[SPACE[key][0]]])) as Partial<SearchedSettings>),
      ...(typeof frozen === 'number' && { freezeEpochs: frozen }),
    };
  };
  return {
    space: {
      ...Object.fromEntries(keys.map((key) => [SPACE[key][0], choices(key)])),
      ...(freezeEpochs.length > 0 && { [FREEZE]: freezeEpochs }),
    },
    first: {
      ...Object.fromEntries(keys.map((key) => [SPACE[key][0], SPACE[key][2]])),
      ...(freezeEpochs.length > 0 && { [FREEZE]: freezeEpochs[0]! }),
    },
    suggest: (trial) => {
      for (const key of keys) trial.suggestCategorical(SPACE[key][0], choices(key));
      if (freezeEpochs.length > 0) trial.suggestCategorical(FREEZE, [...freezeEpochs]);
      return { ...defaults, ...settingsOf(trial.params) } as SearchedSettings;
    },
    chosen: settingsOf,
  };
}
