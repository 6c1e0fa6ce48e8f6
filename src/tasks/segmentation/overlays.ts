import { ConfusionMatrix } from '../confusion-matrix.js';
import { enlarge, FONT, fit, GAP, LINE, label, PANEL, textWidth, writeSheet } from '../sheet.js';
import { blend } from './blend.js';
import { classColour } from './class-colours.js';

/** A picture with its predicted classes, and its true ones where they are known: RGB bytes and class ids, row by row. */
export interface Prediction {
  /** The picture's name: its stem. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** RGB bytes. */
  readonly image: Uint8Array;
  /** Absent where the picture has no mask. */
  readonly target?: Uint8Array;
  readonly prediction: Uint8Array;
}

const COLUMNS = ['input', 'target', 'prediction'] as const;

/**
 * Writes input | target | prediction side by side, one row per sample with its mIoU, and the classes' colours below.
 *
 * Where no row has a target, that column and the mIoU are left out.
 *
 * Classes lie half transparent over the picture in grey, so that a colour is always a class, and each class has its own; ignored pixels stay grey.
 * Rows of several sizes are enlarged by one factor.
 *
 * @param colours a colour for each class, as `#rrggbb`, such as `classColours` gives; default: distinct ones
 *
 * @example
 * await writeOverlays('plots/lora_42/overlays.png', rows, ['pet', 'background', 'border']);
 */
export async function writeOverlays(
  path: string,
  rows: readonly Prediction[],
  classes: readonly string[],
  colours?: readonly string[],
): Promise<void> {
  const first = rows[0];
  if (!first) throw new Error('a sheet of overlays needs at least one row');
  const most = (side: 'width' | 'height') => Math.max(...rows.map((row) => row[side]));
  const factor = Math.ceil(PANEL / most('width'));
  const [width, height] = [most('width') * factor, most('height') * factor];
  const columns = COLUMNS.filter((name) => name !== 'target' || rows.some(({ target }) => target));
  const sheetWidth = columns.length * (width + GAP) + GAP;
  const left = (column: number) => GAP + column * (width + GAP);
  const top = (row: number) => LINE + row * (LINE + height + GAP) + LINE;
  const { svg: legend, lines } = legendOf(classes, sheetWidth, colours);
  const bottom = top(rows.length - 1) + height + GAP;
  const sheet = { width: sheetWidth, height: bottom + lines * LINE + GAP };

  const panels = await Promise.all(
    rows.map(async (row, at) => {
      const picture = await enlarge(row.image, row, factor);
      const over = (ids: Uint8Array) => blend(picture, enlargeIds(ids, row, factor), colours);
      const parts = {
        input: picture,
        target: row.target && over(row.target),
        prediction: over(row.prediction),
      };
      return columns.flatMap((name, column) => {
        const image = parts[name];
        const own = { width: row.width * factor, height: row.height * factor };
        return image ? [{ image, ...own, left: left(column), top: top(at) }] : [];
      });
    }),
  );
  const heads = columns.map((text, i) => label(left(i), LINE - GAP / 2, text, true));
  const titles = rows.flatMap((row, at) => [
    label(left(0), top(at) - GAP / 2, fit(row.title, (columns.length - 1) * width)),
    label(left(columns.length - 1), top(at) - GAP / 2, scoreOf(row, classes.length)),
  ]);
  const text = [...heads, ...titles, `<g transform="translate(0 ${bottom})">${legend}</g>`];
  await writeSheet(path, sheet, panels.flat(), text.join(''));
}

type Size = Pick<Prediction, 'width' | 'height'>;

function enlargeIds(ids: Uint8Array, { width, height }: Size, factor: number): Uint8Array {
  const wide = width * factor;
  return Uint8Array.from({ length: wide * height * factor }, (_, i) => {
    const [x, y] = [Math.floor((i % wide) / factor), Math.floor(i / wide / factor)];
    return ids[y * width + x]!;
  });
}

function scoreOf({ target, prediction }: Prediction, classes: number): string {
  return target ? `mIoU ${new ConfusionMatrix(classes).add(target, prediction).miou.toFixed(3)}` : '';
}

/** The classes' names beside their colours, on as many lines as they need. */
export function legendOf(
  classes: readonly string[],
  width: number,
  colours: readonly string[] = [],
): { svg: string; lines: number } {
  let [x, y] = [GAP, 0];
  const entries = classes.map((name, c) => {
    const wide = FONT + GAP / 2 + textWidth(name) + 2 * GAP;
    if (x > GAP && x + wide > width) [x, y] = [GAP, y + LINE];
    const square = `<rect x="${x}" y="${y + GAP / 2}" width="${FONT}" height="${FONT}" fill="${colours[c] ?? classColour(c)}"/>`;
    const entry = square + label(x + FONT + GAP / 2, y + FONT + 3, name);
    x += wide;
    return entry;
  });
  return { svg: entries.join(''), lines: y / LINE + 1 };
}
