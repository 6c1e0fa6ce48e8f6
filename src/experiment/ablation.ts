import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { writeFileAtomic } from '../files/atomic.js';
import { csvText, markdownText } from '../files/tables.js';
import { hasDiverged, readSummary } from '../loggers/summary.js';
import { writePlot } from '../report/render.js';
import { deviationOfRuns, groupBy, meanOfRuns } from './aggregate.js';
import { failIfCellsDiverged, type StudyCell } from './cell.js';
import {
  type ComparedScore,
  type ComparisonTitles,
  groupComparison,
  lineComparison,
} from './comparison-plots.js';

/** A run of an ablation: what it is compared by, and where. */
export interface AblationRun {
  readonly run: string;
  readonly series: string;
  /** The value that was varied; on a line plot it begins with a number. */
  readonly place: string;
  readonly seed: number;
}

export interface AblationOptions {
  /** The folder that holds `logs/<run>/summary.json`, and gets the table and the plots. */
  readonly dir: string;
  readonly title: string;
  /** The name of the varied setting. */
  readonly x: string;
  /** Lines over a number, or bars in groups. */
  readonly as: 'lines' | 'bars';
}

/**
 * Puts an ablation's runs into a table (`tables.md`, `runs.csv`) and plots with error bars (`dice` and `miou`, .png and
 * .svg): test scores, mean ± population standard deviation over seeds; parameters beside them. Runs that diverged are
 * named and left out.
 *
 * @returns the table
 * @throws UserError when a run has no summary, or was not tested.
 */
export async function reportAblation(
  runs: readonly AblationRun[],
  options: AblationOptions,
): Promise<string> {
  const { dir, title, x, as } = options;
  const scored = await Promise.all(
    runs.map(async ({ run, series, place, seed }) => ({
      run,
      series,
      place,
      seed,
      ...(await scoresOf(dir, run)),
    })),
  );
  const lost = scored.filter(({ diverged }) => diverged).map(({ run }) => run);
  const groups = groupBy(
    scored.filter(({ diverged }) => !diverged),
    ({ series, place }) => [series, place],
  );
  const compared = (score: 'softDice' | 'miou'): ComparedScore[] =>
    groups.map((group) => ({
      series: group[0]!.series,
      source: 'this study',
      place: group[0]!.place,
      mean: meanOfRuns(group.map((each) => each[score])),
      std: group.length > 1 ? deviationOfRuns(group.map((each) => each[score])) : null,
    }));
  const [dice, miou] = [compared('softDice'), compared('miou')];
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const subtitle = seeds > 1 ? `mean ± population standard deviation over ${seeds} seeds` : 'one seed';
  const draw = as === 'lines' ? lineComparison : groupComparison;
  const titles = (y: string): ComparisonTitles => ({ title, subtitle, x, y });
  if (groups.length > 0) {
    await writePlot(join(dir, 'dice'), draw(titles('Soft Dice'), dice));
    await writePlot(join(dir, 'miou'), draw(titles('mIoU'), miou));
  }

  const cell = ({ mean, std }: ComparedScore) =>
    std === null ? mean.toFixed(4) : `${mean.toFixed(4)} ± ${std.toFixed(4)}`;
  const rows = groups.map((group, i) => ({
    series: group[0]!.series,
    [x.toLowerCase()]: group[0]!.place,
    'adapter parameters': group[0]!.adapterParameters,
    'head parameters': group[0]!.headParameters,
    'soft Dice': cell(dice[i]!),
    mIoU: cell(miou[i]!),
  }));
  const left = lost.length > 0 ? `Left out, since they diverged: ${lost.join(', ')}\n\n` : '';
  const text = `## ${title}, test split\n\n${subtitle}\n\n${left}${markdownText(rows)}`;
  await writeFileAtomic(join(dir, 'tables.md'), text);
  await writeFileAtomic(
    join(dir, 'runs.csv'),
    csvText(
      scored.map(({ diverged, softDice, miou, ...row }) => ({
        ...row,
        softDice,
        miou,
        ...(lost.length > 0 && { diverged: String(diverged) }),
      })),
    ),
  );
  return text;
}

async function scoresOf(dir: string, run: string) {
  const logs = join(dir, 'logs', run);
  const summary = await readSummary(logs);
  const { adapterParameters, headParameters, test } = summary;
  if (hasDiverged(summary))
    return { adapterParameters, headParameters, diverged: true, softDice: Number.NaN, miou: Number.NaN };
  if (!test)
    throw new UserError(`${logs}: expected scores of a test split, which has no picture; use more data`);
  const { softDice, miou } = test;
  return { adapterParameters, headParameters, diverged: false, softDice, miou };
}

/** Reports an ablation on standard output. @throws UserError naming the runs that diverged, where there are any. */
export async function closeAblation(
  cells: readonly (AblationRun & StudyCell)[],
  about: AblationOptions,
): Promise<void> {
  const text = await reportAblation(cells, about);
  process.stdout.write(`${text}\nwrote ${about.dir}: tables.md, runs.csv, dice and miou as .png and .svg\n`);
  await failIfCellsDiverged(cells);
}
