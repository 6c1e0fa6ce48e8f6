import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { aboutScore } from '../events/shown-scores.js';
import { writeFileAtomic } from '../files/atomic.js';
import { markdownText, type Row } from '../files/tables.js';
import type { Plot } from '../report/render.js';
import { writePlot } from '../report/render.js';
import { groupBy, meanOfRuns } from './aggregate.js';
import { bootstrap, differenceOf, intervalOf, type Resampled } from './bootstrap.js';
import type { StudyCell } from './cell.js';
import { divergedCells } from './cell.js';
import { intervalText, numericScores, readPictures, signedText } from './compare-pictures.js';
import { loggedRun } from './run-overview.js';
import type { CountedDomain } from './score-files.js';

/** A training of a comparison: the adapter (or head, full) and the seed. */
export interface ComparedCell extends StudyCell {
  readonly series: string;
  readonly seed: number;
  /** The learning rate that was chosen or tried for it; undefined where all have that of the settings. */
  readonly lr?: number | undefined;
}

/** The scores of tables; the first one is drawn, and told in words. */
const SCORES = ['miou', 'meanBoundaryIou', 'meanSurfaceDice', 'ece'] as const;

interface Series extends Resampled {
  readonly series: string;
}

/** What a series took, and what all its runs have in common. */
interface Costs {
  readonly runs: number;
  readonly adapterParameters: number;
  readonly trained: number;
  readonly learningRate: string;
  readonly epochs: number;
  readonly seconds: number;
}

/**
 * Writes `tables.md` and `miou-by-parameters` (.png and .svg) of a comparison of adapters, from the `pictures.json` that
 * inference wrote to `dir`: scores with 95 % intervals over seeds and pictures, and the differences from the first series,
 * on the test split and on each style that was scored. The plot is of the test split.
 *
 * The intervals of differences are those of all comparisons together (Bonferroni). A series of which a run diverged is
 * named and left out.
 *
 * @param rates how learning rates were chosen, in words. Default: nothing is said of it.
 * @returns the text of `tables.md`
 * @throws UserError where `dir` lacks a run.
 */
export async function reportAdapters(
  dir: string,
  cells: readonly ComparedCell[],
  title: string,
  rates = '',
): Promise<string> {
  const lost = new Set((await divergedCells(cells)).map(({ series }) => series));
  const groups = groupBy(
    cells.filter(({ series }) => !lost.has(series)),
    ({ series }) => series,
  );
  if (groups.length === 0) return '';
  const domains = (await readPictures(dir)) ?? [];
  const styles = new Set(domains.flatMap(({ style }) => style ?? []));
  const places = [null, ...styles].map((style) => ({
    style,
    compared: resampledSeries(groups, domains, style),
  }));
  const [{ compared }] = places as [(typeof places)[number]];
  const costs = await Promise.all(groups.map(costsOf));
  const omission = lost.size > 0 ? `Left out, since runs diverged: ${[...lost].join(', ')}\n\n` : '';
  const seeds = `${costs[0]!.runs} ${costs[0]!.runs === 1 ? 'seed' : 'seeds'}`;
  const inDomain = markdownText(compared.map((one, i) => rowOf(one, compared, costsRow(costs[i]!))));
  const sections = places
    .slice(1)
    .map(
      ({ style, compared }) =>
        `\n### Out of the domain: ${style}\n\n${markdownText(compared.map((one) => rowOf(one, compared)))}\n${wordsOf(compared)}`,
    );
  const text = `## ${title}\n\nTest split at the pictures' own resolution; mean over ${seeds} (95 % interval over seeds and pictures).\n\n${omission}${inDomain}\n${[wordsOf(compared), rates].filter((part) => part !== '').join('\n')}${sections.join('')}`;
  await writePlot(
    join(dir, 'miou-by-parameters'),
    scoreByParameters(
      title,
      compared,
      costs.map(({ trained }) => trained),
    ),
  );
  await writeFileAtomic(join(dir, 'tables.md'), text);
  return text;
}

/** The scores of each series on the test split, or on a style. */
function resampledSeries(
  groups: readonly (readonly ComparedCell[])[],
  domains: readonly CountedDomain[],
  style: string | null,
): Series[] {
  const counted = groups.map((group) => group.map(({ run }) => picturesOf(run, domains, style)));
  counted.forEach((runs, i) =>
    runs.forEach((run, k) => {
      const [own, first] = [run, counted[0]![k]!].map((one) => one.pictures.map(({ stem }) => stem).join());
      if (own !== first)
        throw new UserError(
          `${groups[i]![k]!.run}: expected the test pictures of ${groups[0]![k]!.run}, got others; give another --output-dir`,
        );
    }),
  );
  const classes = counted[0]![0]!.classNames.length;
  const resampled = bootstrap(
    counted.map((runs) => runs.map(({ pictures }) => pictures.map(({ counts }) => counts))),
    numericScores(classes),
  );
  return groups.map((group, i) => ({ ...resampled[i]!, series: group[0]!.series }));
}

function picturesOf(run: string, domains: readonly CountedDomain[], style: string | null): CountedDomain {
  const domain = style === null ? 'in_domain' : 'out_domain';
  const found = domains.find((one) => one.run === run && one.domain === domain && one.style === style);
  if (found) return found;
  throw new UserError(`${run}: expected its pictures among the scores, got none; start the recipe once more`);
}

async function costsOf(group: readonly ComparedCell[]): Promise<Costs> {
  const logs = (await Promise.all(group.map((cell) => loggedRun(cell.logs)))).filter(
    (one) => one !== undefined,
  );
  const { adapterParameters, headParameters, backboneParameters, config } = logs[0]!;
  const { separateLr, lr, lrVitBackbone, lrSegHead } = config;
  return {
    runs: group.length,
    adapterParameters: adapterParameters ?? 0,
    trained: (adapterParameters ?? 0) + (headParameters ?? 0) + (backboneParameters ?? 0),
    learningRate: separateLr === true ? `${lrVitBackbone}, head ${lrSegHead}` : String(lr),
    epochs: logs[0]!.epoch,
    seconds: meanOfRuns(logs.map(({ seconds }) => seconds ?? 0)),
  };
}

function costsRow({ adapterParameters, trained, learningRate, epochs, seconds }: Costs): Row {
  return {
    'adapter parameters': adapterParameters,
    'trained parameters': trained,
    'learning rate': learningRate,
    epochs,
    seconds: Math.round(seconds),
  };
}

function rowOf(one: Series, compared: readonly Series[], costs: Row = {}): Row {
  const [reference] = compared;
  return {
    adapter: one.series,
    ...costs,
    ...Object.fromEntries(
      SCORES.map((name) => [aboutScore(name).label, intervalText(intervalOf(one, name))]),
    ),
    [`mIoU, difference from ${reference!.series}`]:
      one === reference ? '' : signedText(differenceOf(reference!, one, 'miou', levelOf(compared))),
  };
}

/** What holds for all comparisons with the reference together, by Bonferroni. */
function levelOf(compared: readonly Series[]): number {
  return 1 - 0.05 / Math.max(1, compared.length - 1);
}

/** What is and is not a real difference, in words. */
function wordsOf([reference, ...others]: readonly Series[]): string {
  if (others.length === 0) return '';
  const level = levelOf([reference!, ...others]);
  const told = others.map((one) => ({
    text: `${one.series} by ${signedText(differenceOf(reference!, one, 'miou', level))}`,
    ...differenceOf(reference!, one, 'miou', level),
  }));
  const list = (some: typeof told) => some.map(({ text }) => text).join(', ');
  const [better, worse] = [1, -1].map((sign) => told.filter(({ real, value }) => real && value * sign > 0));
  const alike = told.filter(({ real }) => !real);
  const sentences = [
    ...(better!.length > 0 ? [`Better in mIoU than ${reference!.series}: ${list(better!)}.`] : []),
    ...(worse!.length > 0 ? [`Worse: ${list(worse!)}.`] : []),
    ...(alike.length > 0
      ? [`No real difference from ${reference!.series}: ${list(alike)}; more seeds or pictures may show one.`]
      : []),
  ];
  return `${sentences.join(' ')} A difference is real where its interval does not hold 0; the intervals hold for all ${others.length} comparisons together with 95 %, each at ${(100 * level).toFixed(1)} % (Bonferroni).\n`;
}

function scoreByParameters(title: string, compared: readonly Series[], parameters: readonly number[]): Plot {
  // Sizes are matched: series of one size are set slightly apart.
  const apart = (i: number) => 1.015 ** (i - (compared.length - 1) / 2);
  const values = compared.map((one, i) => ({
    series: one.series,
    parameters: parameters[i]! * apart(i),
    ...intervalOf(one, 'miou'),
  }));
  const x = {
    field: 'parameters',
    type: 'quantitative',
    title: 'Trained parameters',
    scale: { type: 'log', nice: false, padding: 24 },
    axis: { format: '~s', tickCount: 5 },
  };
  const y = (field: string) => ({ field, type: 'quantitative', title: 'mIoU', scale: { zero: false } });
  const color = { field: 'series', type: 'nominal', title: null, sort: null };
  return {
    title: { text: title, subtitle: 'mean and 95 % interval over seeds and pictures' },
    width: 460,
    height: 300,
    data: { values },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 1.4 },
        encoding: { x, y: y('low'), y2: { field: 'high' }, color },
      },
      { mark: { type: 'point', filled: true, opacity: 1, size: 60 }, encoding: { x, y: y('value'), color } },
    ],
  };
}
