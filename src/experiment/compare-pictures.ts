import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { aboutScore, numbersOf } from '../events/shown-scores.js';
import type { Row } from '../files/tables.js';
import { type Counts, pictureScores } from '../tasks/segmentation/metrics/picture-counts.js';
import { bootstrap, differenceOf, type Interval, intervalOf } from './bootstrap.js';
import { type CountedDomain, PICTURES_FILE } from './score-files.js';

const vector = z.array(z.number());
const domainSchema = z.object({
  run: z.string(),
  domain: z.string(),
  style: z.string().nullable(),
  classNames: z.array(z.string()),
  pictures: z
    .array(
      z.object({
        stem: z.string(),
        counts: z
          .record(z.string(), vector)
          .refine((counts) => 'confusion' in counts, 'expected counts of a confusion matrix'),
      }),
    )
    .min(1),
});

/** A score of two runs over the pictures that both were scored on. */
export interface PictureComparison {
  readonly where: string;
  readonly pictures: number;
  readonly score: string;
  readonly runs: readonly [string, string];
  readonly values: readonly [Interval, Interval];
  readonly difference: Interval & { readonly real: boolean };
}

/**
 * What `inference --resolution own` counted of each picture; undefined where its folder holds no such file.
 *
 * @throws UserError for a file of something else.
 */
export async function readPictures(dir: string): Promise<CountedDomain[] | undefined> {
  const path = join(dir, PICTURES_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return z.array(domainSchema).parse(JSON.parse(text)) as CountedDomain[];
  } catch (cause) {
    throw new UserError(
      `${path}: expected the counts of pictures, got something else; write it again with inference --resolution own`,
      { path },
      { cause },
    );
  }
}

/** Compares the first run with each other, in each domain, over the pictures in common: a paired bootstrap. */
export function comparedPictures(
  names: readonly string[],
  domains: readonly CountedDomain[],
): PictureComparison[] {
  const [first, ...others] = names;
  return domains
    .filter(({ run }) => run === first)
    .flatMap((a) =>
      others.flatMap((name) => {
        const b = domains.find(
          ({ run, domain, style }) => run === name && domain === a.domain && style === a.style,
        );
        return b ? comparisonsOf(a, b) : [];
      }),
    );
}

/** The scores of a segmentation that are numbers, from summed counts. */
export function numericScores(classes: number): (sums: Counts) => Record<string, number> {
  return (sums) => Object.fromEntries(numbersOf(pictureScores(sums, classes)));
}

function comparisonsOf(a: CountedDomain, b: CountedDomain): PictureComparison[] {
  const ofB = new Map(b.pictures.map(({ stem, counts }) => [stem, counts]));
  const common = a.pictures.filter(({ stem }) => ofB.has(stem));
  if (common.length === 0 || a.classNames.length !== b.classNames.length) return [];
  const [own, other] = bootstrap(
    [[common.map(({ counts }) => counts)], [common.map(({ stem }) => ofB.get(stem)!)]],
    numericScores(a.classNames.length),
  );
  return Object.keys(own!.scores).map((score) => ({
    where: a.style ?? a.domain,
    pictures: common.length,
    score,
    runs: [a.run, b.run],
    values: [intervalOf(own!, score), intervalOf(other!, score)],
    difference: differenceOf(own!, other!, score),
  }));
}

/** Comparisons as rows of a table. */
export function pictureRows(comparisons: readonly PictureComparison[]): Row[] {
  return comparisons.map(({ where, pictures, score, runs, values, difference }) => ({
    pictures: `${pictures}, ${where}`,
    score: aboutScore(score).label,
    first: `${runs[0]} ${intervalText(values[0])}`,
    second: `${runs[1]} ${intervalText(values[1])}`,
    difference: signedText(difference),
    real: difference.real ? 'yes' : 'no',
  }));
}

/** What is and is not a real difference, a sentence for each comparison. */
export function pictureWords(comparisons: readonly PictureComparison[]): string {
  return comparisons
    .map(({ where, score, runs: [a, b], difference }) => {
      const { label, mode } = aboutScore(score);
      const isBetter = difference.value > 0 === (mode === 'max');
      return difference.real
        ? `${where}, ${label}: ${b} is ${isBetter ? 'better' : 'worse'} than ${a}, by ${signedText(difference)}.\n`
        : `${where}, ${label}: no real difference between ${a} and ${b}: ${signedText(difference)}.\n`;
    })
    .join('');
}

/** `0.7512 (0.7301 to 0.7698)`. */
export function intervalText({ value, low, high }: Interval): string {
  return `${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
}

/** `+0.0124 (+0.0031 to +0.0217)`. */
export function signedText({ value, low, high }: Interval): string {
  const signed = (x: number) => `${x < 0 ? '' : '+'}${x.toFixed(4)}`;
  return `${signed(value)} (${signed(low)} to ${signed(high)})`;
}

/** How the counts of pictures are had, where a folder has none of the compared runs. */
export function notePictures(dir: string): string {
  return printable(
    `${join(dir, PICTURES_FILE)}: no pictures that these runs were both scored on; inference --resolution own writes them, and compare then says which differences are real\n`,
  );
}
