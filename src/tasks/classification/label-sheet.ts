import type { ShownPicture } from '../../data/images/pictures.js';
import { enlarge, fit, GAP, LINE, label, PANEL, writeSheet } from '../sheet.js';

/** A picture with its true and its predicted class, and the probability of the prediction. */
export interface LabelPrediction extends ShownPicture {
  readonly title: string;
  readonly target: number;
  readonly prediction: number;
  readonly probability: number;
}

const COLUMNS = 4;
/** Width of the frame around a wrong picture. */
const FRAME = 6;
const WRONG = '#D55E00';
const RIGHT = '#0072B2';

/**
 * A selection of predictions: up to half of them wrong ones, the most confident first, then right ones in order.
 *
 * @example
 * someOf([], 12); // => []
 */
export function someOf(rows: readonly LabelPrediction[], count: number): LabelPrediction[] {
  const wrong = rows
    .filter(({ target, prediction }) => target !== prediction)
    .toSorted((a, b) => b.probability - a.probability);
  const right = rows.filter(({ target, prediction }) => target === prediction);
  const wrongs = wrong.slice(0, Math.max(Math.ceil(count / 2), count - right.length));
  return [...wrongs, ...right.slice(0, count - wrongs.length)];
}

/**
 * Writes pictures in rows of four, each above its true class and its predicted class with the probability. A wrong
 * one has a dashed frame, a cross and the word `wrong`; a right one a tick: neither needs colour to be told.
 */
export async function writeLabelSheet(
  path: string,
  rows: readonly LabelPrediction[],
  classes: readonly string[],
): Promise<void> {
  const first = rows[0];
  if (!first) throw new Error('a sheet of predictions needs at least one picture');
  const factor = Math.ceil(PANEL / first.width);
  const [width, height] = [first.width * factor, first.height * factor];
  const columns = Math.min(COLUMNS, rows.length);
  const lines = Math.ceil(rows.length / COLUMNS);
  const placed = rows.map((row, i) => ({
    row,
    left: GAP + (i % COLUMNS) * (width + GAP),
    top: GAP + Math.floor(i / COLUMNS) * (height + 2 * LINE + GAP),
  }));
  const panels = await Promise.all(
    placed.map(async ({ row, left, top }) => ({
      image: await enlarge(row.image, row, factor),
      width,
      height,
      left,
      top,
    })),
  );
  const name = (c: number) => classes[c] ?? `class ${c}`;
  const text = placed.map(({ row, left, top }) => {
    const right = row.target === row.prediction;
    const share = `${(100 * row.probability).toFixed(0)} %`;
    const guess = `${name(row.prediction)} ${share}`;
    const y = top + height + LINE - GAP / 2;
    const colour = right ? RIGHT : WRONG;
    const under = [
      label(left, y, fit(`true: ${name(row.target)}`, width)),
      label(left, y + LINE, fit(right ? `✓ ${guess}` : `✗ wrong: ${guess}`, width), true),
    ].join('');
    return `${right ? '' : frame(left, top, width, height)}<g fill="${colour}">${under}</g>`;
  });
  const sheet = {
    width: columns * (width + GAP) + GAP,
    height: lines * (height + 2 * LINE + GAP) + GAP,
  };
  await writeSheet(path, sheet, panels, text.join(''));
}

function frame(left: number, top: number, width: number, height: number): string {
  const half = FRAME / 2;
  return `<rect x="${left + half}" y="${top + half}" width="${width - FRAME}" height="${height - FRAME}" fill="none" stroke="${WRONG}" stroke-width="${FRAME}" stroke-dasharray="18 8"/>`;
}
