import { numberOf } from '../events/shown-scores.js';
import { percentText, type Row } from '../files/tables.js';
import { groupBy } from './aggregate.js';
import type { ComparedScore } from './comparison-plots.js';
import type { AggregatedScores } from './score-files.js';

/** One score of each row, by adapter: placed by its style or, in domain, by its share of the data. */
export function comparedScores(rows: readonly AggregatedScores[], score: string): ComparedScore[] {
  return rows.map((row) => ({
    series: row.adapter === 'none' ? row.mode : row.adapter,
    source: 'this study',
    parameters: row.adapterParameters,
    place: row.style ?? percentText(row.dataPercentage),
    mean: numberOf(row.mean, score),
    std: row.runs.length > 1 ? numberOf(row.std, score) : null,
  }));
}

/**
 * One row per series and source, one column per place: `mean ± std`, or the mean alone where no deviation is known.
 * Rows say how many adapter parameters a series has where its scores do.
 */
export function comparisonTable(scores: readonly ComparedScore[]): Row[] {
  const sources = new Set(scores.map(({ source }) => source));
  return groupBy(scores, ({ series, source }) => [series, source]).map((group) => {
    const { series, source, parameters } = group[0]!;
    return {
      adapter: sources.size > 1 ? `${series}, ${source}` : series,
      'adapter parameters': parameters ?? null,
      ...Object.fromEntries(
        group.map(({ place, mean, std }) => [
          place,
          std === null ? mean.toFixed(4) : `${mean.toFixed(4)} ± ${std.toFixed(4)}`,
        ]),
      ),
    };
  });
}
