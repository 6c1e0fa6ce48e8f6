import { z } from 'zod';
import { readUnless } from '../cli/flag.js';
import { comparedFlag } from './compared-adapters.js';
import { domainFlags } from './scoring-flags.js';
import { tuneLrFlag } from './tuned-rates.js';

/** The flags of a comparison of adapters: which ones, what they have in common, and on what they are scored. */
export const comparisonFlags = {
  loraType: comparedFlag
    .default([
      'lora',
      'head',
      'rslora',
      'dora',
      'serial_lora',
      'localized_lora',
      'miss',
      'hira',
      'shira',
      'full',
    ])
    .describe('adapters, head and full; the first is what the others are compared with'),
  match: z
    .enum(['parameters', 'seconds'])
    .default('parameters')
    .describe(
      'what all have in common: parameters = as many as LoRA of --rank, and the same epochs; seconds = those, and epochs in proportion to the measured speed',
    ),
  rank: z.int().min(1).default(4).describe('rank of the LoRA whose number of parameters the others get'),
  scale: z.number().gt(0).default(4).describe('alpha / rank, of those that have an alpha'),
  tuneLr: tuneLrFlag,
  outputDir: z.string().min(1).default('results/compare-adapters').describe('folder of all results'),
  styleDir: z
    .string()
    .min(1)
    .optional()
    .describe('folder of <style>/images and <style>/masks to score on, too; default: the test split alone'),
  style: readUnless(domainFlags.style, ({ styleDir }) =>
    styleDir === undefined ? 'without --style-dir the test split alone is scored' : undefined,
  ),
};
