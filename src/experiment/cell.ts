import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import type { Plugins } from '../cli/flags.js';
import { writeFileAtomic } from '../files/atomic.js';
import { hasDiverged, readSummary } from '../loggers/summary.js';
import { recordablePlugins } from './recorded-plugins.js';

/** One training in a study of many: its settings file, its folders, and whether it has ended. */
export interface StudyCell {
  readonly run: string;
  /** A file of flags: `node recipes/train.js --config <file> --resume` runs or continues it. */
  readonly config: string;
  /** Its folder of logs. */
  readonly logs: string;
  readonly finished: boolean;
}

/** Settings that change how a cell is computed but not its result. */
const FREE = new Set([
  'engine',
  'precision',
  'threads',
  'cache',
  'cacheDir',
  'cacheGib',
  'guard',
  'plugin',
  'logger',
]);

/**
 * Opens a cell in a study's folder: writes the flags of its training to `<dir>/cells/<run>.json`, with folders in `dir`
 * for its checkpoints, logs and plots. It is finished where its `summary.json` stands; until it has begun to train, its
 * settings may change, so that a wrong flag can be corrected.
 *
 * @throws UserError where that run has begun with other settings: its scores would not be those of this study.
 */
export async function openCell(
  dir: string,
  run: string,
  settings: Readonly<Record<string, unknown>> & Plugins,
): Promise<StudyCell> {
  const config = join(dir, 'cells', `${run}.json`);
  const [outDir, logDir, plotDir] = [join(dir, 'models'), join(dir, 'logs'), join(dir, 'plots')];
  const plugin = settings.plugin && recordablePlugins(settings.plugin);
  const cellSettings = { ...settings, plugin, runName: run, outDir, logDir, plotDir };
  const text = `${JSON.stringify(cellSettings, undefined, 2)}\n`;
  const isStarted = existsSync(join(logDir, run)) || existsSync(join(outDir, run));
  const before = await readFile(config, 'utf8').catch(() => undefined);
  if (isStarted && before !== undefined) checkSame(config, before, text);
  if (before !== text) await writeFileAtomic(config, text);
  const logs = join(logDir, run);
  return { run, config, logs, finished: existsSync(join(logs, 'summary.json')) };
}

/** The cells that diverged in training, which must be left out of every mean. */
export async function divergedCells<C extends StudyCell>(cells: readonly C[]): Promise<C[]> {
  const diverged: C[] = [];
  for (const cell of cells)
    if (existsSync(join(cell.logs, 'summary.json')) && hasDiverged(await readSummary(cell.logs)))
      diverged.push(cell);
  return diverged;
}

/** Fails where cells diverged: a study that lacks them has not succeeded. @throws UserError that names them. */
export async function failIfCellsDiverged(cells: readonly StudyCell[]): Promise<void> {
  const diverged = await divergedCells(cells);
  if (diverged.length === 0) return;
  const names = diverged.map(({ run }) => run);
  throw new UserError(
    `${diverged.length} of ${cells.length} runs diverged and ${diverged.length > 1 ? 'are' : 'is'} left out of every mean: ${names.join(', ')}; give other settings (--lr, --clip) and another --output-dir`,
    { runs: names },
  );
}

function checkSame(path: string, before: string, now: string): void {
  let was: Record<string, unknown>;
  try {
    was = JSON.parse(before) as Record<string, unknown>;
  } catch (cause) {
    throw new UserError(
      `${path}: expected the flags of a run as JSON, got something else; remove it`,
      { path },
      { cause },
    );
  }
  const is = JSON.parse(now) as Record<string, unknown>;
  for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (FREE.has(key)) continue;
    const [old, got] = [was[key], is[key]].map((value) => JSON.stringify(value) ?? 'unset');
    if (old !== got)
      throw new UserError(
        `${path}: expected the settings that the study began with, ${key} ${old}, got ${got}; go on with the same flags, or give another --output-dir`,
        { path, key },
      );
  }
}
