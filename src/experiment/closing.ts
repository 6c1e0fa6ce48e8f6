import { join } from 'node:path';
import { printable } from '../base/printable.js';
import { aboutScore, numbersOf, vectorsOf } from '../events/shown-scores.js';
import { readSummary } from '../loggers/summary.js';

/**
 * The last output of a training: its scores by split (the numbers, and the first vector by class), read from
 * `<logs>/summary.json`, and the files in its folders.
 *
 * Figures are those of the files, to four digits.
 *
 * @param others folders beside the logs
 * @param classes the names of the classes, in the order of their ids
 * @throws UserError where the logs could not be written.
 */
export async function closingText(
  logs: string,
  others: readonly string[] = [],
  classes: readonly string[] = [],
): Promise<string> {
  const summary = await readSummary(logs);
  const rows = (['validation', 'test'] as const).flatMap((split) => {
    if (!summary[split]) return [];
    const { loss: _loss, ...scores } = summary[split];
    const numbers = numbersOf(scores).map(([name, value]) => `${aboutScore(name).label} ${digits(value)}`);
    const vectors = vectorsOf(scores).map(([name, values]) => {
      const { label, ofClass = label } = aboutScore(name);
      const named = values.map((value, i) => [...classes.slice(i, i + 1), digits(value)].join(' '));
      return `${ofClass} by class ${named.join(classes.length > 0 ? ', ' : ' ')}`;
    });
    return [[split.padEnd(10), ...numbers, ...vectors.slice(0, 1)].join('  ')];
  });
  const files = await Promise.all([logs, ...others].map(listed));
  return printable(`${[...rows, 'wrote', ...files.flat().map((line) => `  ${line}`)].join('\n')}\n`);
}

/** One line per file, and one per folder of files in the folder; none where the folder is gone. */
async function listed(dir: string): Promise<string[]> {
  const { default: fastGlob } = await import('fast-glob');
  const names = await fastGlob('*', {
    cwd: dir,
    onlyFiles: false,
    markDirectories: true,
    suppressErrors: true,
  });
  return names.toSorted().map((name) => join(dir, name));
}

function digits(value: number | null): string {
  return value === null ? '-' : value.toFixed(4);
}
