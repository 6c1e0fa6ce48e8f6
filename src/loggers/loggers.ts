import { named } from '../base/named.js';
import { jsonLines } from './json-lines.js';
import type { LoggerFor } from './logger.js';
import { csv } from './metrics-csv.js';
import { mlflow } from './mlflow.js';
import { plots } from './plots.js';
import { summary } from './summary.js';
import { tensorBoard } from './tensor-board.js';
import { trackio } from './trackio.js';
import { wandb } from './wandb.js';

const STANDARD = {
  'json-lines': jsonLines(),
  'metrics-csv': csv(),
  'tensor-board': tensorBoard(),
  plots: plots(),
  summary: summary(),
};

/** Other trackers, which a run has on request. */
const TRACKERS = { mlflow: mlflow(), wandb: wandb(), trackio: trackio() };

/**
 * The loggers by name. Those that write into the run's folders listen to every run of the recipes; the others, such as
 * `mlflow`, are asked for (`--logger mlflow`).
 *
 * @example
 * loggers.register('console', ({ logs }) => ({ name: 'console', next: ({ type }) => console.log(logs, type) }));
 */
export const loggers = named<keyof typeof STANDARD | keyof typeof TRACKERS, LoggerFor>('logger', {
  ...STANDARD,
  ...TRACKERS,
});

/**
 * The loggers that every run has, followed by those of these names. @throws UserError that names the nearest logger.
 */
export function runLoggers(names: readonly string[] = []): LoggerFor[] {
  return [...new Set([...Object.keys(STANDARD), ...names])].map(loggers.get);
}
