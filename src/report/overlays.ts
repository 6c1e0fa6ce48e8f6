import sharp from 'sharp';
import { IGNORE_INDEX } from '../data/types.js';
import { writeFileAtomic } from '../files/atomic.js';
import { PALETTE } from './render.js';

/** A picture with its true and its predicted classes: RGB bytes and class ids, row by row. */
export interface Prediction {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
  readonly target: Uint8Array;
  readonly prediction: Uint8Array;
}

const GAP = 8;
const HEADER = 22;

/**
 * Writes input | target | prediction side by side, one row a sample, with the classes' colours named below.
 *
 * Masks lie half transparent over the image; ignored pixels are left as they are.
 */
export async function writeOverlays(
  path: string,
  rows: readonly Prediction[],
  classes: readonly string[],
): Promise<void> {
  const { width, height } = rows[0]!;
  const sheet = {
    width: 3 * width + 4 * GAP,
    height: rows.length * (height + HEADER + GAP) + HEADER + 2 * GAP,
  };
  const panels = rows.flatMap(({ image, target, prediction }, row) => {
    const top = HEADER + GAP + row * (height + HEADER + GAP);
    return [image, blend(image, target), blend(image, prediction)].map((data, column) => ({
      input: Buffer.from(data),
      raw: { width, height, channels: 3 as const },
      left: GAP + column * (width + GAP),
      top: top + HEADER - GAP,
    }));
  });
  const titles = rows.map(({ title }, row) =>
    label(GAP, HEADER + row * (height + HEADER + GAP) + GAP + 6, title),
  );
  const heads = ['input', 'target', 'prediction'].map((text, i) =>
    label(GAP + i * (width + GAP), 16, text, true),
  );
  const legend = classes.map((name, c) => {
    const x = GAP + c * Math.floor(sheet.width / Math.max(1, classes.length));
    const y = sheet.height - HEADER;
    return `<rect x="${x}" y="${y}" width="12" height="12" fill="${PALETTE[c % PALETTE.length]}"/>${label(x + 17, y + 11, name)}`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" height="${sheet.height}">${[...heads, ...titles, ...legend].join('')}</svg>`;
  const png = await sharp({ create: { ...sheet, channels: 3, background: 'white' } })
    .composite([...panels, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png()
    .toBuffer();
  await writeFileAtomic(path, png);
}

function blend(image: Uint8Array, classes: Uint8Array): Uint8Array {
  const colours = PALETTE.map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  return image.map((byte, i) => {
    const id = classes[Math.floor(i / 3)]!;
    return id === IGNORE_INDEX ? byte : Math.round(0.5 * byte + 0.5 * colours[id % colours.length]![i % 3]!);
  });
}

function label(x: number, y: number, text: string, bold = false): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12"${bold ? ' font-weight="bold"' : ''}>${safe}</text>`;
}
