import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { readUnless } from '../cli/flag.js';
import { improves, metricOf, modeOf } from '../events/metric.js';
import type { Scores } from '../events/scores.js';
import { numberOf } from '../events/shown-scores.js';
import { markdownText } from '../files/tables.js';
import { openAdapterCells, type SettingsBySeries } from './adapter-cells.js';
import type { ComparedCell } from './adapter-comparison.js';
import { groupBy } from './aggregate.js';
import { divergedCells } from './cell.js';
import { loggedRun } from './run-overview.js';

/** The flag of the rates among which `tunedRates` chooses. */
export const tuneLrFlag = readUnless(
  z
    .array(z.number().gt(0))
    .min(2)
    .optional()
    .describe(
      'learning rates in place of --lr: each adapter gets the one with the highest validation mIoU of the first seed; default: --lr for all',
    ),
  ({ separateLr }) => (separateLr ? '--separate-lr replaces --lr' : undefined),
);

/** A training of the search for a learning rate, and what it scored on the validation split. */
interface TriedRate {
  readonly series: string;
  readonly seed: number;
  readonly lr: number;
  /** mIoU of the epoch whose checkpoint is scored; undefined where the run diverged. */
  readonly miou: number | undefined;
}

/** Opens a cell of one seed for each adapter and rate; `tunedRates` chooses from them. Without rates there are none. */
export async function openTuningCells(
  dir: string,
  settings: SettingsBySeries,
  seed: number,
  epochs: ReadonlyMap<string, number>,
  rates: readonly number[] = [],
): Promise<ComparedCell[]> {
  const cells: ComparedCell[] = [];
  for (const rate of new Set(rates)) {
    const ofAll = new Map([...settings.keys()].map((series) => [series, rate]));
    cells.push(...(await openAdapterCells(dir, settings, [seed], epochs, ofAll)));
  }
  return cells;
}

/**
 * The learning rate of each adapter: of those that were tried the one with the highest validation mIoU; the first of
 * equals, and the first where all diverged. The test split has no part in it.
 *
 * @throws UserError where a run has no score of a validation split.
 */
export async function tunedRates(cells: readonly ComparedCell[]): Promise<Map<string, number>> {
  return new Map((await triedRates(cells)).map((tried) => [tried[0]!.series, bestOf(tried).lr]));
}

/** A table of what each rate scored in the search, and in words how rates were chosen; empty without a search. */
export async function tuningText(cells: readonly ComparedCell[]): Promise<string> {
  if (cells.length === 0) return '';
  const bySeries = await triedRates(cells);
  const rows = bySeries.map((tried) => ({
    adapter: tried[0]!.series,
    ...Object.fromEntries(tried.map(({ lr, miou }) => [`rate ${lr}`, miou?.toFixed(4) ?? 'diverged'])),
    chosen: String(bestOf(tried).lr),
  }));
  const outermost = bySeries.flatMap((tried) => {
    const rates = tried.map(({ lr }) => lr);
    const { lr, series } = bestOf(tried);
    return lr === Math.min(...rates) || lr === Math.max(...rates) ? [series] : [];
  });
  const ends =
    outermost.length > 0
      ? ` Chosen at an end of what was tried, so that another rate may suit better: ${outermost.join(', ')}.`
      : '';
  return `Learning rates by validation mIoU of seed ${bySeries[0]![0]!.seed}, the highest of ${bySeries[0]!.length} for each adapter.${ends}\n\n${markdownText(rows)}`;
}

async function triedRates(cells: readonly ComparedCell[]): Promise<TriedRate[][]> {
  const diverged = await divergedCells(cells);
  const tried = await Promise.all(
    cells.map(async (cell) => ({
      series: cell.series,
      seed: cell.seed,
      lr: cell.lr!,
      miou: diverged.includes(cell) ? undefined : await validationMiou(cell),
    })),
  );
  return groupBy(tried, ({ series }) => series);
}

function bestOf(tried: readonly TriedRate[]): TriedRate {
  return tried.reduce((best, one) => ((one.miou ?? -1) > (best.miou ?? -1) ? one : best));
}

/** The validation mIoU of the epoch with the best score by the run's `metric`: inference scores its checkpoint. */
async function validationMiou({ run, logs }: ComparedCell): Promise<number> {
  const { events, config } = (await loggedRun(logs))!;
  const metric = String(config['metric']);
  let best: Scores | undefined;
  for (const event of events)
    if (event.type === 'validation' && event.split === 'validation')
      if (improves(metricOf(event.scores, metric), best && metricOf(best, metric), modeOf(metric)))
        best = event.scores;
  if (best) return numberOf(best, 'miou');
  throw new UserError(
    `${run}: expected scores of a validation split, by which --tune-lr chooses, got none; use more data`,
  );
}
