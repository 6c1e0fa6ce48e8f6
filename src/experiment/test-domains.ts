import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import { say } from '../base/say.js';
import { addedTo, few, type SplitStems, sideAs, stemsOf } from '../data/recorded-split.js';
import { splitPairs } from '../data/split.js';
import type { Pair, Splits } from '../data/types.js';
import { checkMasks } from '../tasks/segmentation/check-masks.js';
import { findPairs } from '../tasks/segmentation/pairs.js';
import { findStyles, unseenPairs } from './style-folders.js';
import type { TrainedRun } from './trained-runs.js';

/** A set of pictures to score a run on. */
export interface TestDomain {
  readonly domain: 'in_domain' | 'out_domain';
  /** The style's name; null in domain. */
  readonly style: string | null;
  readonly pairs: readonly Pair[];
}

export interface TestDomainsOptions {
  readonly testDomains: readonly TestDomain['domain'][];
  /** The present location of the run's pictures. Default: where it found them. */
  readonly imageDir?: string | undefined;
  readonly maskDir?: string | undefined;
  /** Folder of styles. Default: that of the embedded pictures, for a run that learned from them. */
  readonly styleDir?: string | undefined;
  /** Style names; empty: all styles. */
  readonly style: readonly string[];
}

/**
 * The domains that a run was not trained on: the test split of its own seed and percentage, and the pictures of each
 * style.
 *
 * @throws UserError for folders and styles that are not there, for a test split without a picture, where `out_domain` is
 * asked for and no folder of styles is known, and for masks that cannot be meant (`checkMasks`).
 */
export async function testDomains(run: TrainedRun, options: TestDomainsOptions): Promise<TestDomain[]> {
  const domains = await foundDomains(run, options);
  for (const { pairs } of domains)
    for (const line of await checkMasks(pairs, { ids: run.settings.maskIds })) say(`warning: ${line}`);
  return domains;
}

async function foundDomains(run: TrainedRun, options: TestDomainsOptions): Promise<TestDomain[]> {
  const { name, settings } = run;
  const { imageDir = settings.imageDir, maskDir = settings.maskDir } = options;
  const domains: TestDomain[] = [];
  if (options.testDomains.includes('in_domain'))
    domains.push({ domain: 'in_domain', style: null, pairs: await testPairs(run, imageDir, maskDir) });
  if (!options.testDomains.includes('out_domain')) return domains;
  const embedded = resolve(imageDir) === resolve(fixture('creatures', 'plain', 'images'));
  const styleDir = options.styleDir ?? (embedded ? fixture('creatures', 'styled') : undefined);
  if (styleDir === undefined)
    throw new UserError(
      `--style-dir: required for out_domain, since ${name} learned from ${imageDir}; make styles with node recipes/make-ood.js, or give --test-domains in_domain`,
    );
  const { train, validation } = run.splits ?? stemsOf(await splitNow(run, imageDir, maskDir));
  const trainingData = { stems: [...train, ...validation], imageDirs: [settings.imageDir, imageDir] };
  for (const style of await findStyles(styleDir, options.style))
    domains.push({ domain: 'out_domain', style, pairs: await unseenPairs(styleDir, style, trainingData) });
  return domains;
}

/** The pictures of the run's recorded test split, whatever was added since. */
async function testPairs(run: TrainedRun, imageDir: string, maskDir: string): Promise<readonly Pair[]> {
  const { name, settings, splits } = run;
  const test = splits
    ? await recordedTest(run, splits, imageDir, maskDir)
    : (await splitNow(run, imageDir, maskDir)).test;
  if (test.length > 0) return test;
  throw new UserError(
    `${imageDir}: expected a test split with a picture for ${name}, got none at ${100 * settings.dataPercentage} %; see --test-domains`,
    { path: imageDir },
  );
}

async function recordedTest(
  { name, settings }: TrainedRun,
  record: SplitStems,
  imageDir: string,
  maskDir: string,
): Promise<Pair[]> {
  // A run that was moved may have left its lists behind; the record narrows as much.
  const pairs = await findPairs(imageDir, maskDir, {
    lists: settings.list.filter((path) => existsSync(path)),
  });
  const added = addedTo(record, pairs);
  if (added.length > 0)
    say(
      `${name}: ${few(added)}: added to ${imageDir} since its training began, so in none of its splits and not scored`,
    );
  return sideAs(record, 'test', pairs);
}

/** The split of the folder in its present state, for a run that recorded none. */
async function splitNow({ name, settings }: TrainedRun, imageDir: string, maskDir: string): Promise<Splits> {
  const { randomSeed: seed, dataPercentage: percentage, split: rule, shrink } = settings;
  say(
    `${name}: an earlier version trained it and recorded no splits: if pictures were added to ${imageDir} since, its test split holds some that it was trained on`,
  );
  const pairs = await findPairs(imageDir, maskDir, { lists: settings.list });
  return splitPairs(pairs, { seed, percentage, rule, shrink });
}
