import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic.js';
import { type Cell, csvText, type Row } from '../files/tables.js';
import { areNumbers, type TestScores } from '../loggers/summary.js';
import { groupBy, scoreStatistics } from './aggregate.js';

/** The properties by which tables tell models apart. */
interface Setting {
  /** `none` where there is none: then `mode` says what trained. */
  readonly adapter: string;
  readonly mode: string;
  readonly adapterParameters: number;
  readonly headParameters: number;
  readonly modelName: string;
  readonly dataPercentage: number;
  readonly domain: string;
  readonly style: string | null;
  readonly classNames: readonly string[];
}

/** One checkpoint on one domain. */
export interface ScoreRow extends Setting {
  readonly run: string;
  readonly checkpoint: string;
  readonly seed: number;
  readonly images: number;
  readonly engine: string;
  readonly precision: string;
  readonly test: TestScores;
}

/** Runs that differ by their seed alone, on one domain. */
export interface AggregatedScores extends Setting {
  readonly runs: readonly string[];
  readonly seeds: readonly number[];
  readonly mean: TestScores;
  /** Population standard deviation. */
  readonly std: TestScores;
}

/**
 * Rows of one setting together: mean ± population standard deviation over their runs. Those of a run that diverged, whose
 * scores are no numbers, are in no mean.
 */
export function aggregateScores(rows: readonly ScoreRow[]): AggregatedScores[] {
  const scored = rows.filter(({ test }) => areNumbers(test));
  return groupBy(scored, settingOf).map((group) => ({
    ...settingOf(group[0]!),
    runs: group.map(({ run }) => run),
    seeds: group.map(({ seed }) => seed),
    ...scoreStatistics(group.map(({ test }) => test)),
  }));
}

/** The means of rows as a person reads them: a line for each setting and domain. */
export function scoreTable(rows: readonly ScoreRow[]): Row[] {
  return aggregateScores(rows).map(({ mean, std, ...row }) => ({
    adapter: row.adapter === 'none' ? row.mode : row.adapter,
    'adapter parameters': row.adapterParameters,
    'head parameters': row.headParameters,
    data: `${100 * row.dataPercentage} %`,
    domain: row.style ?? row.domain,
    runs: row.runs.length,
    'soft Dice': plusMinus(mean.softDice, std.softDice, row.runs.length),
    mIoU: plusMinus(mean.miou, std.miou, row.runs.length),
  }));
}

/** The files of scores in their folder. */
export const SCORE_FILES = [
  'individual.json',
  'individual.csv',
  'aggregated.json',
  'aggregated.csv',
] as const;

/**
 * Writes `individual.json` and `.csv`, a row a checkpoint and domain, and `aggregated.json` and `.csv`, in full precision;
 * returns their paths.
 */
export async function writeScores(dir: string, rows: readonly ScoreRow[]): Promise<string[]> {
  const aggregated = aggregateScores(rows);
  const files: Record<(typeof SCORE_FILES)[number], string> = {
    'individual.json': jsonText(rows),
    'individual.csv': csvText(
      rows.map(({ run, checkpoint, seed, images, engine, precision, test, ...setting }) => ({
        run,
        ...settingCells(setting),
        seed,
        images,
        ...scoreCells(test, setting.classNames),
        engine,
        precision,
        checkpoint,
      })),
    ),
    'aggregated.json': jsonText(aggregated),
    'aggregated.csv': csvText(
      aggregated.map(({ mean, std, runs, seeds, ...setting }) => ({
        ...settingCells(setting),
        runs: runs.length,
        seeds: seeds.join(' '),
        ...scoreCells(mean, setting.classNames, '_mean'),
        ...scoreCells(std, setting.classNames, '_std'),
      })),
    ),
  };
  const paths = Object.entries(files).map(([name, text]) => ({ path: join(dir, name), text }));
  for (const { path, text } of paths) await writeFileAtomic(path, text);
  return paths.map(({ path }) => path);
}

/** A mean as a person reads it: `0.7712 ± 0.0031`, and of one run the score alone. */
export function plusMinus(mean: number, std: number, runs: number): string {
  return runs > 1 ? `${mean.toFixed(4)} ± ${std.toFixed(4)}` : mean.toFixed(4);
}

function settingOf(row: ScoreRow): Setting {
  const { adapter, mode, adapterParameters, headParameters, modelName, dataPercentage } = row;
  const { domain, style, classNames } = row;
  return {
    adapter,
    mode,
    adapterParameters,
    headParameters,
    modelName,
    dataPercentage,
    domain,
    style,
    classNames,
  };
}

function settingCells(setting: Setting): Row {
  const { adapter, mode, adapterParameters, headParameters, modelName, dataPercentage } = setting;
  const { domain, style } = setting;
  return {
    adapter,
    mode,
    adapter_parameters: adapterParameters,
    head_parameters: headParameters,
    model_name: modelName,
    data_percentage: dataPercentage,
    domain,
    style,
  };
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/**
 * Scores as cells: `soft_dice`, `soft_iou`, `miou`, `accuracy`, then `dice_<class>` and `iou_<class>`; `suffix` is
 * appended to each name.
 */
export function scoreCells(scores: TestScores, classNames: readonly string[], suffix = ''): Row {
  const { softDice, softIou, miou, accuracy } = scores;
  const cells: [string, Cell][] = Object.entries({ soft_dice: softDice, soft_iou: softIou, miou, accuracy });
  for (const score of ['dice', 'iou'] as const)
    scores[score].forEach((value, c) => cells.push([`${score}_${classNames[c] ?? c}`, value]));
  return Object.fromEntries(cells.map(([name, value]) => [name + suffix, value]));
}
