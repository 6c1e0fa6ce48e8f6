import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { printable } from '../base/printable.js';
import { aboutScore, numberOf, numbersOf, snakeCase, vectorsOf } from '../events/shown-scores.js';
import { writeFileAtomic } from '../files/atomic.js';
import { type Cell, csvText, type Row } from '../files/tables.js';
import { areNumbers, type TestScores } from '../loggers/summary.js';
import { groupBy, scoreStatistics } from './aggregate.js';
import type { CountedPicture } from './score-pictures.js';

/** The properties that distinguish models in tables. */
interface Setting {
  /** Absent for segmentation. */
  readonly task?: 'classification';
  /** `none` without an adapter: then `mode` tells what was trainable. */
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
export interface ScoreRow<S extends TestScores = TestScores> extends Setting {
  readonly run: string;
  readonly checkpoint: string;
  readonly seed: number;
  readonly images: number;
  readonly engine: string;
  readonly precision: string;
  readonly test: S;
}

/** Runs that differ only by their seed, on one domain. */
export interface AggregatedScores<S extends TestScores = TestScores> extends Setting {
  readonly runs: readonly string[];
  readonly seeds: readonly number[];
  readonly mean: S;
  /** Population standard deviation. */
  readonly std: S;
}

/**
 * Aggregates the rows of each setting: mean ± population standard deviation over its runs. Those of a run that
 * diverged, whose scores are not numbers, are in no mean.
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

/** The scores that tables compare, by task; a row has those that it has. */
const COMPARED = {
  segmentation: ['softDice', 'miou', 'meanBoundaryIou', 'meanSurfaceDice', 'ece'],
  classification: ['accuracy', 'macroF1'],
};

function comparedOf(task: ScoreRow['task'], scores: TestScores): string[] {
  return COMPARED[task ?? 'segmentation'].filter((name) => name in scores);
}

/** The means of rows as text for a person: a line for each setting and domain. */
export function scoreTable(rows: readonly ScoreRow[]): Row[] {
  return aggregateScores(rows).map(({ mean, std, ...row }) => ({
    adapter: row.adapter === 'none' ? row.mode : row.adapter,
    'adapter parameters': row.adapterParameters,
    'head parameters': row.headParameters,
    data: `${100 * row.dataPercentage} %`,
    domain: row.style ?? row.domain,
    runs: row.runs.length,
    ...Object.fromEntries(
      comparedOf(row.task, mean).map((name) => [
        aboutScore(name).label,
        plusMinus(numberOf(mean, name), numberOf(std, name), row.runs.length),
      ]),
    ),
  }));
}

/** A row as a line for the terminal. */
export function scoreLine({ task, run, style, domain, images, test }: ScoreRow): string {
  const figures = comparedOf(task, test).map(
    (name) => `${aboutScore(name).label} ${numberOf(test, name).toFixed(4)}`,
  );
  return printable(`${run}  ${style ?? domain}  ${figures.join('  ')}  ${images} images\n`);
}

/** The score files in a folder. */
export const SCORE_FILES = [
  'individual.json',
  'individual.csv',
  'aggregated.json',
  'aggregated.csv',
] as const;

/** The file of what was counted of each picture, beside the scores. */
export const PICTURES_FILE = 'pictures.json';

/** What was counted of each picture of a run and domain. */
export interface CountedDomain {
  readonly run: string;
  readonly domain: string;
  readonly style: string | null;
  readonly classNames: readonly string[];
  readonly pictures: readonly CountedPicture[];
}

/**
 * Writes `pictures.json`, a line for each run and domain; the path of what was written. An earlier file is removed where
 * there is nothing to write.
 */
export async function writePictures(dir: string, domains: readonly CountedDomain[]): Promise<string[]> {
  const path = join(dir, PICTURES_FILE);
  if (domains.length === 0) {
    await rm(path, { force: true });
    return [];
  }
  await writeFileAtomic(path, `[\n${domains.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  return [path];
}

/**
 * Writes `individual.json` and `.csv`, one row per checkpoint and domain, and `aggregated.json` and `.csv`, in full
 * precision; returns their paths.
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

/** A mean as text for a person: `0.7712 ± 0.0031`, and of one run the score alone. */
export function plusMinus(mean: number, std: number, runs: number): string {
  return runs > 1 ? `${mean.toFixed(4)} ± ${std.toFixed(4)}` : mean.toFixed(4);
}

function settingOf(row: ScoreRow): Setting {
  const { adapter, mode, adapterParameters, headParameters, modelName, dataPercentage } = row;
  const { task, domain, style, classNames } = row;
  return {
    ...(task && { task }),
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
  const { task, domain, style } = setting;
  return {
    ...(task && { task }),
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
 * Scores as cells: numbers such as `soft_dice`, then vectors such as `dice_<class>`, with names in snake case; `suffix`
 * is appended to each name.
 */
export function scoreCells(scores: TestScores, classNames: readonly string[], suffix = ''): Row {
  const cells: [string, Cell][] = [
    ...numbersOf(scores).map(([name, value]): [string, Cell] => [snakeCase(name), value]),
    ...vectorsOf(scores).flatMap(([name, values]) =>
      values.map((value, c): [string, Cell] => [`${snakeCase(name)}_${classNames[c] ?? c}`, value]),
    ),
  ];
  return Object.fromEntries(cells.map(([name, value]) => [name + suffix, value]));
}
