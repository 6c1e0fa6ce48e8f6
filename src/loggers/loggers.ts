import { named } from '../base/named.js';
import { jsonLines } from './json-lines.js';
import type { LoggerFor } from './logger.js';
import { csv } from './metrics-csv.js';
import { plots } from './plots.js';
import { summary } from './summary.js';
import { tensorBoard } from './tensor-board.js';

const STANDARD = {
  'json-lines': jsonLines(),
  'metrics-csv': csv(),
  'tensor-board': tensorBoard(),
  plots: plots(),
  summary: summary(),
};

/**
 * The loggers by name. The package's own write into the run's folders, and listen to every run of the recipes.
 *
 * @example
 * loggers.register('console', ({ logs }) => ({ name: 'console', next: ({ type }) => console.log(logs, type) }));
 */
export const loggers = named<keyof typeof STANDARD, LoggerFor>('logger', STANDARD);

/**
 * The package's own loggers, followed by those of these names. @throws UserError that names the nearest logger.
 */
export function runLoggers(names: readonly string[] = []): LoggerFor[] {
  return [...new Set([...Object.keys(STANDARD), ...names])].map(loggers.get);
}
