import { UserError } from '../base/errors.js';
import {
  type AdapterOptions,
  checkCount,
  checkFinite,
  checkOptions,
  checkRank,
  type Site,
} from '../model/adapter.js';
import type { Target } from '../model/targets.js';
import { siteName } from '../model/vit/adapter-sites.js';
import { LORA_STARTS, type LoraStart, startsInWeight } from './lora-start.js';
import { type Patterns, patternValue } from './patterns.js';

/** Which biases of the backbone train beside an adapter, by PEFT's names: none, all, or those of the adapted maps. */
export const BIASES = ['none', 'all', 'lora_only'] as const;
/** The name of such a choice. */
export type Biases = (typeof BIASES)[number];

/** Options of `lora`. */
export interface LoraOptions extends AdapterOptions {
  readonly rank: number;
  /** The change is scaled by alpha / rank. Default: rank. */
  readonly alpha?: number;
  /** Scale by alpha / √rank (Kalajdzievski 2023, "A Rank Stabilization Scaling Factor"). Default false. */
  readonly rsLora?: boolean;
  /** Learn each output's magnitude apart from its direction (Liu et al. 2024, "DoRA"). Default false. */
  readonly dora?: boolean;
  /** How A and B start; `kaiming` by default. */
  readonly init?: LoraStart;
  /**
   * The learning rate of B as a multiple of A's (Hayou et al. 2024, "LoRA+"; 16 is theirs); as in PEFT, of magnitudes and
   * of biases that train, too. Default 1.
   */
  readonly lrRatio?: number;
  /** Keep A as it started (Zhang et al. 2023, "LoRA-FA"). Default false. */
  readonly freezeA?: boolean;
  /** Biases of the backbone that train, too. Default none. */
  readonly bias?: Biases;
  /** Other ranks for some maps, by names or ends of names: `{ query: 8, 'layers.0.value': 2 }`. */
  readonly rankPattern?: Patterns;
  /** Other alphas for some maps. */
  readonly alphaPattern?: Patterns;
}

/** Options of `lora` with defaults; of the newer ones `given` holds those that are not at theirs, for records. */
export function loraSettings(options: LoraOptions) {
  const { rank, alpha = rank, rsLora = false, dora = false, dropout = 0 } = options;
  const {
    init = 'kaiming',
    lrRatio = 1,
    freezeA = false,
    bias = 'none',
    rankPattern,
    alphaPattern,
  } = options;
  const targets = checkOptions(options);
  checkCount('rank', rank);
  checkFinite('alpha', alpha);
  for (const value of Object.values(rankPattern ?? {})) checkCount('rankPattern', value);
  for (const value of Object.values(alphaPattern ?? {})) checkFinite('alphaPattern', value);
  checkOneOf('init', init, LORA_STARTS);
  checkOneOf('bias', bias, BIASES);
  if (!(lrRatio > 0 && Number.isFinite(lrRatio)))
    throw new UserError(`lrRatio: expected a number above 0, got ${lrRatio}; see --lr-ratio`, { lrRatio });
  if (freezeA && lrRatio !== 1)
    throw new UserError(
      `lrRatio: expected it without freezeA, got both; a frozen A has no rate to compare with; see --lr-ratio`,
      { lrRatio },
    );
  const given = {
    ...(init !== 'kaiming' && { init }),
    ...(lrRatio !== 1 && { lrRatio }),
    ...(freezeA && { freezeA }),
    ...(bias !== 'none' && { bias }),
    ...(isUsed(rankPattern) && { rankPattern }),
    ...(isUsed(alphaPattern) && { alphaPattern }),
  };
  return { rank, alpha, rsLora, dora, dropout, targets, init, lrRatio, freezeA, bias, given };
}

/** Rank, alpha and scale of LoRA at a map. @throws UserError for a rank that does not fit the map or the start. */
export function loraAt(options: LoraOptions, site: Site) {
  const { rsLora = false, init = 'kaiming', rankPattern, alphaPattern } = options;
  const names = [siteName(site)];
  const rank = patternValue(rankPattern, names, options.rank);
  const alpha = patternValue(alphaPattern, names, options.alpha ?? options.rank);
  checkRank('rank', rank, site);
  const most = Math.min(site.inputs, site.outputs);
  if (startsInWeight(init) && rank > most)
    throw new UserError(
      `init: expected a rank of at most ${most} at ${site.target} to start by ${init}, got ${rank}; see --init`,
      { rank },
    );
  if (init === 'orthogonal' && rank % 2 !== 0)
    throw new UserError(`init: expected an even rank to start orthogonal, got ${rank}; see --rank`, { rank });
  return { rank, alpha, scale: alpha / (rsLora ? Math.sqrt(rank) : rank) };
}

/** The parameters of the backbone that train with these biases. */
export function trainsBias(
  bias: Biases,
  { layers, exclude = [] }: AdapterOptions,
  targets: readonly Target[],
): { trains?: (name: string) => boolean } {
  if (bias === 'none') return {};
  if (bias === 'all') return { trains: (name) => name.endsWith('.bias') };
  return {
    trains: (name) => {
      const [, map = '', layer, target] = /^(layers\.(\d+)\.(\w+))\.bias$/.exec(name) ?? [];
      return (
        targets.includes(target as Target) &&
        (layers?.includes(Number(layer)) ?? true) &&
        !exclude.includes(map)
      );
    },
  };
}

function checkOneOf(name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new UserError(`${name}: expected ${choices.join(', ')}, got ${value}; see --${name}`, {
      [name]: value,
    });
}

function isUsed(patterns: Patterns | undefined): boolean {
  return Object.keys(patterns ?? {}).length > 0;
}
