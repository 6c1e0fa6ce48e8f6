import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic.js';
import { markdownText, percentText } from '../files/tables.js';
import { writePlot } from '../report/render.js';
import { groupComparison, lineComparison } from './comparison-plots.js';
import { comparedScores, comparisonTable } from './comparison-table.js';
import { publishedScores } from './published.js';
import type { AggregatedScores } from './score-files.js';

/**
 * Draws the plots and writes the tables of the study of data percentages, from the files that inference wrote to
 * `dir`.
 *
 * @returns the tables, and which files were written.
 */
export async function percentageReport(
  dir: string,
  published: boolean,
  divergedNames: readonly string[],
): Promise<string> {
  const rows = JSON.parse(await readFile(join(dir, 'aggregated.json'), 'utf8')) as AggregatedScores[];
  const most = Math.max(...rows.map((row) => row.dataPercentage));
  const seeds = Math.max(...rows.map((row) => row.seeds.length));
  const inDomain = rows.filter(({ domain }) => domain === 'in_domain');
  const outOfDomain = rows.filter((row) => row.domain === 'out_domain' && row.dataPercentage === most);
  const over = seeds > 1 ? `mean ± population standard deviation over ${seeds} seeds` : 'one seed';
  const byShare = [
    ...comparedScores(inDomain, 'softDice'),
    ...(published ? publishedScores('inDomain') : []),
  ];
  const byStyle = [
    ...comparedScores(outOfDomain, 'softDice'),
    ...(published ? publishedScores('outOfDomain') : []),
  ];

  const soft = { subtitle: over, y: 'Soft Dice' };
  const lines = lineComparison({ ...soft, title: 'In domain', x: 'Share of the data (%)' }, byShare);
  await writePlot(join(dir, 'dice-by-percentage'), lines);
  if (outOfDomain.length > 0) {
    const title = `Out of domain, trained on ${percentText(most)}`;
    await writePlot(join(dir, 'dice-by-style'), groupComparison({ ...soft, title, x: 'Style' }, byStyle));
  }
  const omission =
    divergedNames.length > 0 ? `Left out, since they diverged: ${divergedNames.join(', ')}\n\n` : '';
  const tables = {
    'Soft Dice by share of the data, test split': byShare,
    'mIoU by share of the data, test split': comparedScores(inDomain, 'miou'),
    [`Soft Dice by style, trained on ${percentText(most)}`]: outOfDomain.length > 0 ? byStyle : [],
    [`mIoU by style, trained on ${percentText(most)}`]: comparedScores(outOfDomain, 'miou'),
  };
  const text = Object.entries(tables)
    .filter(([, scores]) => scores.length > 0)
    .map(([title, scores]) => `## ${title}\n\n${over}\n\n${omission}${markdownText(comparisonTable(scores))}`)
    .join('\n');
  await writeFileAtomic(join(dir, 'tables.md'), text);
  return `${text}\nwrote ${dir}: tables.md, dice-by-*.png and .svg, individual and aggregated .csv and .json\n`;
}
