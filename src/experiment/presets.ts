import { z } from 'zod';
import { type Defaults, flagName } from '../cli/flag.js';

type Settings = Readonly<Record<string, unknown>>;

/** What each preset sets, by the keys of flags. */
export const PRESETS = {
  study: {
    head: 'study',
    loss: 'log-cosh-dice',
    schedule: 'constant',
    lr: 1e-3,
    weightDecay: 1e-4,
    augment: ['none'],
  },
  fast: {
    mode: 'head',
    head: 'study',
    loss: 'dice+cross-entropy',
    schedule: 'cosine',
    lr: 2e-3,
    augment: ['flip'],
    trunkCache: 'memory',
  },
  best: {
    mode: 'full',
    imageSize: 384,
    head: 'detail',
    loss: 'dice+cross-entropy',
    schedule: 'cosine',
    separateLr: true,
    lrVitBackbone: 5e-4,
    lrSegHead: 2e-3,
    layerDecay: 0.75,
    dropPath: 0.1,
    ema: 0.95,
    augment: ['light'],
  },
} as const satisfies Readonly<Record<string, Settings>>;

const names = Object.keys(PRESETS) as [keyof typeof PRESETS, ...(keyof typeof PRESETS)[]];

/**
 * The flags of a preset, as on a command line.
 *
 * @example
 * presetFlagsOf('study'); // => '--head study --loss log-cosh-dice --schedule constant --lr 0.001 --weight-decay 0.0001 --augment none'
 */
export function presetFlagsOf(name: keyof typeof PRESETS): string {
  return Object.entries(PRESETS[name])
    .map(([key, value]) => (value === true ? `--${flagName(key)}` : `--${flagName(key)} ${String(value)}`))
    .join(' ');
}

/** The flag that names a preset; it gives other flags their values, and is recorded beside them. */
export const presetFlag = z
  .enum(names)
  .optional()
  .meta({
    defaults: ((name) => ({
      from: `--preset ${String(name)}`,
      values: PRESETS[name as keyof typeof PRESETS],
      notes: true,
    })) satisfies Defaults,
    description: `flags for one purpose, each of which a flag of its own overrides, see docs/presets.md: ${names.map((name) => `${name} = ${presetFlagsOf(name)}`).join('; ')}; default: none`,
  });
