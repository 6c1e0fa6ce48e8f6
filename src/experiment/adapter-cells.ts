import { join } from 'node:path';
import { readSummary } from '../loggers/summary.js';
import type { ComparedCell } from './adapter-comparison.js';
import { openCell } from './cell.js';
import { comparedSettings } from './compared-adapters.js';
import { grid } from './grid.js';
import { type MatchedSize, matchedFlags } from './matched-adapters.js';
import { type BackboneSettings, loadBackbone } from './segmentation-task.js';

/** The settings of each training of a comparison, by adapter (or head, full). */
export type SettingsBySeries = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** The settings of trainings with adapters of a size, counted on the pretrained model. An engine must be in use. */
export async function matchedSettings(
  names: readonly string[],
  shared: Omit<BackboneSettings, 'randomSeed'>,
  size: MatchedSize,
): Promise<SettingsBySeries> {
  const model = await loadBackbone({ ...shared, randomSeed: 0 });
  try {
    return new Map(
      names.map((name) => [
        name,
        comparedSettings(name, shared, () => matchedFlags(name, shared, size, model)),
      ]),
    );
  } finally {
    model.dispose();
  }
}

/**
 * Opens the cells of a comparison, seed by seed, so that what cannot be trained shows early.
 *
 * @param rates the learning rate of each adapter, which is then part of a cell's name. Default: that of its settings.
 */
export async function openAdapterCells(
  dir: string,
  settings: SettingsBySeries,
  seeds: readonly number[],
  epochs: ReadonlyMap<string, number>,
  rates?: ReadonlyMap<string, number>,
): Promise<ComparedCell[]> {
  const cells: ComparedCell[] = [];
  for (const { seed, series } of grid({ seed: seeds, series: [...settings.keys()] })) {
    const lr = rates?.get(series);
    const own = {
      ...settings.get(series),
      randomSeed: seed,
      epochs: epochs.get(series)!,
      ...(lr !== undefined && { lr }),
    };
    // A run's name takes no "+", which numbers have from 1e+21 on.
    const run = [series, ...(lr === undefined ? [] : [`lr${lr}`.replace('+', '')]), seed].join('_');
    cells.push({ series, seed, lr, ...(await openCell(dir, run, own)) });
  }
  return cells;
}

/** Opens a cell of one epoch for each adapter, which measures its speed. */
export function openTimingCells(
  dir: string,
  settings: SettingsBySeries,
  seed: number,
): Promise<ComparedCell[]> {
  const once = new Map([...settings.keys()].map((series) => [series, 1]));
  return openAdapterCells(join(dir, 'timing'), settings, [seed], once);
}

/**
 * The epochs of each adapter: the same for all, or, with cells that measured their speeds, as many as take the time of the
 * first one's; at least one.
 */
export async function matchedEpochs(
  epochs: number,
  series: readonly string[],
  timing: readonly ComparedCell[],
): Promise<Map<string, number>> {
  const same = new Map(series.map((name) => [name, epochs]));
  if (timing.length === 0) return same;
  const speeds = await Promise.all(
    timing.map(async (cell) => [cell.series, (await readSummary(cell.logs)).imagesPerSecond] as const),
  );
  const [, first] = speeds[0]!;
  return new Map(speeds.map(([name, speed]) => [name, Math.max(1, Math.round((epochs * speed) / first))]));
}
