import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { numberOf } from '../events/shown-scores.js';
import { writeFileAtomic } from '../files/atomic.js';
import { csvText, markdownText } from '../files/tables.js';
import { hasDiverged, readSummary } from '../loggers/summary.js';
import { writePlot } from '../report/render.js';
import { deviationOfRuns, groupBy, meanOfRuns } from './aggregate.js';
import { failIfCellsDiverged, type StudyCell } from './cell.js';
import { scoresOfTask } from './compared-scores.js';
import { type ComparedScore, groupComparison, lineComparison } from './comparison-plots.js';

/** A run of an ablation, with the series and the place on the x axis that it is compared by. */
export interface AblationRun {
  readonly run: string;
  readonly series: string;
  /** The varied setting's value; on a line plot it begins with a number. */
  readonly place: string;
  readonly seed: number;
}

/** Options of `closeAblation`. */
export interface AblationOptions {
  /** The folder that holds `logs/<run>/summary.json`; table and plots are written to it. */
  readonly dir: string;
  /** Heading of the table and the plots. */
  readonly title: string;
  /** The name of the varied setting. */
  readonly x: string;
  /** Lines over a number, or groups of bars. */
  readonly as: 'lines' | 'bars';
  /** Whose scores are compared. Default segmentation. */
  readonly task?: 'segmentation' | 'classification';
}

/**
 * Writes the table (`tables.md`, `runs.csv`) and the plots with error bars (`dice` and `miou`, or `accuracy` and
 * `macro-f1`, .png and .svg) of an ablation: test scores, mean ± population standard deviation over seeds, beside the numbers of parameters. Runs that
 * diverged are named and left out.
 *
 * @returns the table
 * @throws UserError when a run has no summary, or was not tested.
 */
export async function reportAblation(
  runs: readonly AblationRun[],
  options: AblationOptions,
): Promise<string> {
  const { dir } = options;
  const names = scoresOfTask(options.task).map(({ name }) => name);
  const scores = await Promise.all(
    runs.map(async (run) => ({ ...onlyRun(run), ...(await scoresOf(dir, run.run, names)) })),
  );
  const diverged = scores.filter((run) => run.diverged).map(({ run }) => run);
  const groups = groupBy(
    scores.filter((run) => !run.diverged),
    ({ series, place }) => [series, place],
  );
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const subtitle = seeds > 1 ? `mean ± population standard deviation over ${seeds} seeds` : 'one seed';
  if (groups.length > 0) await writePlots(groups, subtitle, options);

  const omission = diverged.length > 0 ? `Left out, since they diverged: ${diverged.join(', ')}\n\n` : '';
  const text = `## ${options.title}, test split\n\n${subtitle}\n\n${omission}${tableText(groups, options)}`;
  await writeFileAtomic(join(dir, 'tables.md'), text);
  await writeFileAtomic(join(dir, 'runs.csv'), runsText(scores));
  return text;
}

type RunScores = AblationRun & Awaited<ReturnType<typeof scoresOf>>;

/** A cell has more fields than the table shows. */
function onlyRun({ run, series, place, seed }: AblationRun): AblationRun {
  return { run, series, place, seed };
}

async function writePlots(
  groups: readonly RunScores[][],
  subtitle: string,
  options: AblationOptions,
): Promise<void> {
  const { dir, title, x, as } = options;
  const draw = as === 'lines' ? lineComparison : groupComparison;
  for (const { name, file, axis } of scoresOfTask(options.task)) {
    const compared = groups.map(
      (group): ComparedScore => ({
        series: group[0]!.series,
        source: 'this study',
        place: group[0]!.place,
        ...meanOf(group, name),
      }),
    );
    await writePlot(join(dir, file), draw({ title, subtitle, x, y: axis }, compared));
  }
}

function meanOf(group: readonly RunScores[], score: string) {
  const values = group.map((run) => run.scores[score]!);
  return { mean: meanOfRuns(values), std: values.length > 1 ? deviationOfRuns(values) : null };
}

function tableText(groups: readonly RunScores[][], options: AblationOptions): string {
  const cell = (group: readonly RunScores[], score: string) => {
    const { mean, std } = meanOf(group, score);
    return std === null ? mean.toFixed(4) : `${mean.toFixed(4)} ± ${std.toFixed(4)}`;
  };
  return markdownText(
    groups.map((group) => ({
      series: group[0]!.series,
      [options.x.toLowerCase()]: group[0]!.place,
      'adapter parameters': group[0]!.adapterParameters,
      'head parameters': group[0]!.headParameters,
      ...Object.fromEntries(
        scoresOfTask(options.task).map(({ name, column }) => [column, cell(group, name)]),
      ),
    })),
  );
}

/** A row per run, with a column `diverged` where one did. */
function runsText(runs: readonly RunScores[]): string {
  const someDiverged = runs.some(({ diverged }) => diverged);
  return csvText(
    runs.map(({ diverged, scores, ...row }) => ({
      ...row,
      ...scores,
      ...(someDiverged && { diverged: String(diverged) }),
    })),
  );
}

async function scoresOf(dir: string, run: string, names: readonly string[]) {
  const logs = join(dir, 'logs', run);
  const summary = await readSummary(logs);
  const { adapterParameters, headParameters, test } = summary;
  const diverged = hasDiverged(summary);
  if (!test && !diverged)
    throw new UserError(`${logs}: expected scores of a test split, which has no picture; use more data`);
  const score = (name: string) => (diverged ? Number.NaN : numberOf(test!, name));
  const scores = Object.fromEntries(names.map((name) => [name, score(name)]));
  return { adapterParameters, headParameters, diverged, scores };
}

/** Reports an ablation on standard output. @throws UserError naming the runs that diverged. */
export async function closeAblation(
  cells: readonly (AblationRun & StudyCell)[],
  about: AblationOptions,
): Promise<void> {
  const text = await reportAblation(cells, about);
  const files = scoresOfTask(about.task).map(({ file }) => file);
  process.stdout.write(
    `${text}\nwrote ${about.dir}: tables.md, runs.csv, ${files.join(' and ')} as .png and .svg\n`,
  );
  await failIfCellsDiverged(cells);
}
