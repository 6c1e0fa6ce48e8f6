import { join } from 'node:path';
import type { Event } from '../events/event.js';
import { columnOf, type NamedScores, numbersOf } from '../events/shown-scores.js';
import { writeFileAtomic } from '../files/atomic.js';
import { csvText } from '../files/tables.js';
import { folderFor, type LoggedRun, type Logger, type LoggerFor } from './logger.js';

/**
 * Writes one row per epoch to `<dir>/metrics.csv`, for spreadsheets, in full precision; a cell without a figure is
 * empty.
 *
 * The scores that are numbers are columns `val_<name>`, in snake case. Those of a segmentation have upstream's names: its
 * `val_dice` and `val_iou` are the soft scores, `softDice` and `softIou` everywhere else, and `val_miou` is the hard one.
 * Of several validations in an epoch the last counts; `lr` is the last step's, and of several parameter groups there are
 * `lr_<group>`.
 */
export function csv(dir?: string): LoggerFor {
  return (run) => csvIn(folderFor('csv', dir, run.logs), run);
}

function csvIn(dir: string, { earlier = [], metrics }: Pick<LoggedRun, 'earlier' | 'metrics'>): Logger {
  const path = join(dir, 'metrics.csv');
  const rows = new Map<number, Record<string, number>>();
  let rates: Record<string, number> = {};
  const set = (epoch: number, cells: Record<string, number>) => {
    rows.set(epoch, { ...rows.get(epoch), epoch, ...cells });
    return true;
  };
  const note = (event: Event): boolean => {
    if (event.type === 'step') {
      const named = Object.entries(event.learningRate);
      rates = Object.fromEntries(
        named.map(([group, rate]) => [group === 'all' ? 'lr' : `lr_${group}`, rate]),
      );
    }
    if (event.type === 'epoch') {
      const { epoch, step, loss, imagesPerSecond } = event;
      return set(epoch, { step, train_loss: loss, images_per_second: imagesPerSecond, ...rates });
    }
    if (event.type !== 'validation' || event.split !== 'validation') return false;
    const { epoch, step, scores } = event;
    return set(epoch, { step, ...scoreCells(scores) });
  };
  for (const event of earlier) note(event);
  return {
    name: path,
    next: async (event) => {
      const noted = note(event);
      if (!noted && event.type !== 'run') return;
      const known = metrics ? Object.keys(scoreCells(metrics().scores())) : [];
      await writeFileAtomic(path, table([...rows.values()], known));
    },
  };
}

function scoreCells(scores: NamedScores): Record<string, number> {
  return Object.fromEntries(numbersOf(scores).map(([name, value]) => [`val_${columnOf(name)}`, value]));
}

function table(rows: readonly Record<string, number>[], known: readonly string[]): string {
  const used = [...new Set([...known, ...rows.flatMap(Object.keys)])];
  const of = (prefix: string) => used.filter((column) => column.startsWith(prefix));
  const rates = of('lr_').length > 0 ? of('lr_') : ['lr'];
  return csvText(rows, ['epoch', 'step', 'train_loss', ...of('val_'), 'images_per_second', ...rates]);
}
