import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic.js';
import { markdownText, percentText } from '../files/tables.js';
import { writePlot } from '../report/render.js';
import { scoresOfTask } from './compared-scores.js';
import { groupComparison, lineComparison } from './comparison-plots.js';
import { comparedScores, comparisonTable } from './comparison-table.js';
import { publishedScores } from './published.js';
import type { AggregatedScores } from './score-files.js';

/** Options of `percentageReport`. */
export interface PercentageReportOptions {
  /** Whose scores are compared. Default segmentation. */
  readonly task?: 'segmentation' | 'classification';
  /** Shows upstream's published soft Dice beside that of this study. Default false. */
  readonly published?: boolean;
  /** Runs that diverged, which the tables name. Default: none. */
  readonly divergedNames?: readonly string[];
}

/**
 * Draws the plots of the task's main score and writes the tables of the study of data percentages, from the files that
 * inference wrote to `dir`.
 *
 * @returns the tables, and which files were written.
 */
export async function percentageReport(
  dir: string,
  { task = 'segmentation', published = false, divergedNames = [] }: PercentageReportOptions = {},
): Promise<string> {
  const rows = JSON.parse(await readFile(join(dir, 'aggregated.json'), 'utf8')) as AggregatedScores[];
  const most = percentText(Math.max(...rows.map((row) => row.dataPercentage)));
  const seeds = Math.max(...rows.map((row) => row.seeds.length));
  const inDomain = rows.filter(({ domain }) => domain === 'in_domain');
  const outOfDomain = rows.filter(
    (row) => row.domain === 'out_domain' && percentText(row.dataPercentage) === most,
  );
  const over = seeds > 1 ? `mean ± population standard deviation over ${seeds} seeds` : 'one seed';
  const [main, second] = scoresOfTask(task);
  const shown = published && task === 'segmentation' ? publishedScores : () => [];
  const byShare = [...comparedScores(inDomain, main.name), ...shown('inDomain')];
  const byStyle = [...comparedScores(outOfDomain, main.name), ...shown('outOfDomain')];

  const about = { subtitle: over, y: main.axis };
  const lines = lineComparison({ ...about, title: 'In domain', x: 'Share of the data (%)' }, byShare);
  await writePlot(join(dir, `${main.file}-by-percentage`), lines);
  if (outOfDomain.length > 0) {
    const title = `Out of domain, trained on ${most}`;
    const bars = groupComparison({ ...about, title, x: 'Style' }, byStyle);
    await writePlot(join(dir, `${main.file}-by-style`), bars);
  }
  const omission =
    divergedNames.length > 0 ? `Left out, since they diverged: ${divergedNames.join(', ')}\n\n` : '';
  const tables = {
    [`${main.axis} by share of the data, test split`]: byShare,
    [`${second.axis} by share of the data, test split`]: comparedScores(inDomain, second.name),
    [`${main.axis} by style, trained on ${most}`]: outOfDomain.length > 0 ? byStyle : [],
    [`${second.axis} by style, trained on ${most}`]: comparedScores(outOfDomain, second.name),
  };
  const text = Object.entries(tables)
    .filter(([, scores]) => scores.length > 0)
    .map(([title, scores]) => `## ${title}\n\n${over}\n\n${omission}${markdownText(comparisonTable(scores))}`)
    .join('\n');
  await writeFileAtomic(join(dir, 'tables.md'), text);
  return `${text}\nwrote ${dir}: tables.md, ${main.file}-by-*.png and .svg, individual and aggregated .csv and .json\n`;
}
