import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import { say } from '../base/say.js';
import { addedTo, few, type SplitStems, sideAs, stemsOf } from '../data/recorded-split.js';
import { splitPairs } from '../data/split.js';
import type { ImageItem, Splits } from '../data/types.js';
import { type RunItems, type RunPlaces, runItems } from './run-items.js';
import { findStyles, unseenItems } from './style-folders.js';
import type { TrainedRun } from './trained-runs.js';

/** A set of pictures to score a run on. */
export interface TestDomain<I extends ImageItem = ImageItem> {
  readonly domain: 'in_domain' | 'out_domain' | 'validation';
  /** The style's name; null but for `out_domain`. */
  readonly style: string | null;
  readonly items: readonly I[];
}

export interface TestDomainsOptions extends RunPlaces {
  /** Default: both, and in domain alone for a run whose styles are not known; a line says so. */
  readonly testDomains?: readonly TestDomain['domain'][] | undefined;
  /** Folder of styles. Default: that of the embedded pictures, for a run that learned from them. */
  readonly styleDir?: string | undefined;
  /** Style names; empty: all styles. */
  readonly style: readonly string[];
}

/**
 * The domains that a run was not trained on: the test split of its own seed and percentage, and the pictures of each
 * style; where it is asked for, also its validation split, on which choices are made.
 *
 * @throws UserError for folders and styles that are not there, for a test split without a picture, where `out_domain` is
 * asked for and no folder of styles is known, and for masks that are certainly wrong (`checkMasks`).
 */
export async function testDomains(run: TrainedRun, options: TestDomainsOptions): Promise<TestDomain[]> {
  const items = runItems(run, options);
  const domains = await foundDomains(run, items, options);
  for (const domain of domains) for (const line of await items.check(domain.items)) say(`warning: ${line}`);
  return domains;
}

async function foundDomains(
  run: TrainedRun,
  items: RunItems,
  options: TestDomainsOptions,
): Promise<TestDomain[]> {
  const { from, imageDirs, embedded } = items;
  const { testDomains: asked, styleDir = embedded ? fixture('creatures', 'styled') : undefined } = options;
  const domains: TestDomain[] = [];
  if (asked?.includes('in_domain') ?? true)
    domains.push({ domain: 'in_domain', style: null, items: await testItems(run, items) });
  if (asked?.includes('validation'))
    domains.push({ domain: 'validation', style: null, items: await itemsOf('validation', run, items) });
  if (!(asked?.includes('out_domain') ?? true)) return domains;
  if (styleDir === undefined && !asked) {
    say(
      `${run.name}: in domain only: it learned from ${from}, of which no styles are known; see --style-dir`,
    );
    return domains;
  }
  if (styleDir === undefined)
    throw new UserError(
      `--style-dir: required for out_domain, since ${run.name} learned from ${from}; make styles with node recipes/make-ood.js, or give --test-domains in_domain`,
    );
  const { train, validation } = run.splits ?? stemsOf(await splitNow(run, items));
  const trainingData = { stems: [...train, ...validation], imageDirs };
  for (const style of await findStyles(styleDir, options.style)) {
    const shown = await items.ofStyle(join(styleDir, style));
    domains.push({
      domain: 'out_domain',
      style,
      items: await unseenItems(styleDir, style, shown, trainingData),
    });
  }
  return domains;
}

/** The pictures of the run's recorded test split, or of its fold, whatever was added since. */
async function testItems(run: TrainedRun, items: RunItems): Promise<readonly ImageItem[]> {
  const { name, settings } = run;
  const side = settings.fold === undefined ? 'test' : 'validation';
  if (settings.fold !== undefined)
    say(`${name}: scored on its fold ${settings.fold}, which also chose its best checkpoint`);
  return itemsOf(side, run, items);
}

async function itemsOf(
  side: 'test' | 'validation',
  run: TrainedRun,
  items: RunItems,
): Promise<readonly ImageItem[]> {
  const { name, settings, splits } = run;
  const own = splits ? await recordedSide(name, splits, side, items) : (await splitNow(run, items))[side];
  if (own.length > 0) return own;
  throw new UserError(
    `${items.from}: expected a ${side} split with a picture for ${name}, got none at ${100 * settings.dataPercentage} %; see --test-domains`,
    { path: items.from },
  );
}

async function recordedSide(
  name: string,
  record: SplitStems,
  side: 'test' | 'validation',
  { from, find }: RunItems,
): Promise<readonly ImageItem[]> {
  const all = await find(true);
  const added = addedTo(record, all);
  if (added.length > 0)
    say(
      `${name}: ${few(added)}: added to ${from} since its training began, so in none of its splits and not scored`,
    );
  return sideAs(record, side, all);
}

/** The split of the folder in its present state, for a run that recorded none. */
async function splitNow(
  { name, settings }: TrainedRun,
  { from, rule, find }: RunItems,
): Promise<Splits<ImageItem>> {
  const { randomSeed: seed, dataPercentage: percentage, shrink } = settings;
  say(
    `${name}: an earlier version trained it and recorded no splits: if pictures were added to ${from} since, its test split holds some that it was trained on`,
  );
  return splitPairs(await find(false), { seed, percentage, shrink, ...rule });
}
