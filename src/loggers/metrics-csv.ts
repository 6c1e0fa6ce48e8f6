import { join } from 'node:path';
import type { Event } from '../events/event.js';
import { writeFileAtomic } from '../files/atomic.js';
import { csvText } from '../files/tables.js';
import { segmentationScores } from '../tasks/segmentation/metrics/segmentation-scores.js';
import { folderFor, type Logger, type LoggerFor } from './logger.js';

/** In this order; the learning rates of several parameter groups follow as `lr_<group>`. */
const COLUMNS = [
  'epoch',
  'step',
  'train_loss',
  'val_loss',
  'val_dice',
  'val_iou',
  'val_miou',
  'val_accuracy',
  'images_per_second',
  'lr',
];

/**
 * One row an epoch in `<dir>/metrics.csv`, for spreadsheets, in full precision; a cell without a figure is empty.
 *
 * Columns have upstream's names: its `val_dice` and `val_iou` are the soft scores, `softDice` and `softIou` everywhere
 * else, and `val_miou` is the hard one. Of several validations in an epoch the last counts; `lr` is the last step's.
 */
export function csv(dir?: string): LoggerFor {
  return ({ logs, earlier = [] }) => csvIn(folderFor('csv', dir, logs), earlier);
}

function csvIn(dir: string, earlier: readonly Event[]): Logger {
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
    const { epoch, step } = event;
    const scores = segmentationScores(event.scores);
    return set(epoch, {
      step,
      val_loss: scores.loss,
      val_dice: scores.softDice,
      val_iou: scores.softIou,
      val_miou: scores.miou,
      val_accuracy: scores.accuracy,
    });
  };
  for (const event of earlier) note(event);
  return {
    name: path,
    next: async (event) => {
      if (note(event) || event.type === 'run') await writeFileAtomic(path, table([...rows.values()]));
    },
  };
}

function table(rows: readonly Record<string, number>[]): string {
  const used = new Set(rows.flatMap(Object.keys));
  const groups = [...used].filter((column) => !COLUMNS.includes(column));
  const columns = [...COLUMNS.filter((column) => column !== 'lr' || groups.length === 0), ...groups];
  return csvText(rows, columns);
}
