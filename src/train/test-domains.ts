import { fixture } from '../config/fixture.js';
import { printable } from '../config/printable.js';
import { checkMasks } from '../data/check-masks.js';
import { findPairs } from '../data/pairs.js';
import { splitPairs } from '../data/split.js';
import { findStyles, unseenPairs } from '../data/style-folders.js';
import type { Pair } from '../data/types.js';
import { UserError } from '../errors.js';
import type { TrainedRun } from './trained-runs.js';

/** Pictures that a run is scored on. */
export interface TestDomain {
  readonly domain: 'in_domain' | 'out_domain';
  /** The style's name; null in domain. */
  readonly style: string | null;
  readonly pairs: readonly Pair[];
}

export interface TestDomainsOptions {
  readonly testDomains: readonly TestDomain['domain'][];
  /** Where the run's pictures lie now. Default: where it found them. */
  readonly imageDir?: string | undefined;
  readonly maskDir?: string | undefined;
  /** Folder of styles. Default: that of the embedded pictures, for a run that learned from them. */
  readonly styleDir?: string | undefined;
  /** Empty: all that are there. */
  readonly style: readonly string[];
}

/**
 * What a run can be scored on without having seen it: the test split of its own seed and percentage, and the pictures
 * of each style.
 *
 * @throws UserError for folders and styles that are not there, for a test split without a picture, where `out_domain` is
 * asked for and no folder of styles is known, and for masks that cannot be meant (`checkMasks`).
 */
export async function testDomains(run: TrainedRun, options: TestDomainsOptions): Promise<TestDomain[]> {
  const domains = await foundDomains(run, options);
  for (const { pairs } of domains)
    for (const line of await checkMasks(pairs, { ids: run.settings.maskIds }))
      process.stderr.write(`${printable(`warning: ${line}`)}\n`);
  return domains;
}

async function foundDomains(
  { name, settings }: TrainedRun,
  options: TestDomainsOptions,
): Promise<TestDomain[]> {
  const { imageDir = settings.imageDir, maskDir = settings.maskDir } = options;
  const { randomSeed: seed, dataPercentage: percentage, split: rule, shrink } = settings;
  const pairs = await findPairs(imageDir, maskDir, { lists: settings.list });
  const splits = splitPairs(pairs, { seed, percentage, rule, shrink });
  const found: TestDomain[] = [];
  if (options.testDomains.includes('in_domain')) {
    if (splits.test.length === 0)
      throw new UserError(
        `${imageDir}: expected a test split with a picture for ${name}, got none of ${pairs.length} pairs at ${100 * percentage} %; see --test-domains`,
        { path: imageDir },
      );
    found.push({ domain: 'in_domain', style: null, pairs: splits.test });
  }
  if (!options.testDomains.includes('out_domain')) return found;
  const embedded = imageDir === fixture('creatures', 'plain', 'images');
  const styleDir = options.styleDir ?? (embedded ? fixture('creatures', 'styled') : undefined);
  if (styleDir === undefined)
    throw new UserError(
      `--style-dir: required for out_domain, since ${name} learned from ${imageDir}; make styles with node recipes/make-ood.js, or give --test-domains in_domain`,
    );
  for (const style of await findStyles(styleDir, options.style))
    found.push({
      domain: 'out_domain',
      style,
      pairs: await unseenPairs(styleDir, style, { ...splits, imageDir }),
    });
  return found;
}
