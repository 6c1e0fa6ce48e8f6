import { join } from 'node:path';
import { printable } from '../base/printable.js';
import { readSummary } from '../loggers/summary.js';

/**
 * The last output of a training: its scores by split, read from `<logs>/summary.json`, and the files in its folders.
 *
 * Figures are those of the files, to four digits.
 *
 * @throws UserError where the logs could not be written.
 */
export async function closingText(logs: string, ...others: readonly string[]): Promise<string> {
  const summary = await readSummary(logs);
  const rows = (['validation', 'test'] as const).flatMap((split) => {
    const scores = summary[split];
    if (!scores) return [];
    const { softDice, softIou, dice, miou, accuracy } = scores;
    const figures = { 'soft Dice': softDice, 'soft IoU': softIou, mIoU: miou, accuracy };
    const text = Object.entries(figures).map(([name, value]) => `${name} ${digits(value)}`);
    return [`${split.padEnd(10)}  ${text.join('  ')}  Dice by class ${dice.map(digits).join(' ')}`];
  });
  const files = await Promise.all([logs, ...others].map(listed));
  return printable(`${[...rows, 'wrote', ...files.flat().map((line) => `  ${line}`)].join('\n')}\n`);
}

/** One line a file, and one a folder of files in the folder. */
async function listed(dir: string): Promise<string[]> {
  const { default: fastGlob } = await import('fast-glob');
  const names = await fastGlob('*', { cwd: dir, onlyFiles: false, markDirectories: true });
  return names.toSorted().map((name) => join(dir, name));
}

function digits(value: number | null): string {
  return value === null ? '-' : value.toFixed(4);
}
