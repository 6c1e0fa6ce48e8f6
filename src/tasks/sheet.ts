import { loadSharp } from '../base/sharp.js';
import type { ShownPicture } from '../data/images/pictures.js';
import { writeFileAtomic } from '../files/atomic.js';

/** Height of letters, of a line and of the space between panels, in pixels. */
export const FONT = 18;
export const LINE = 30;
export const GAP = 12;

/** The least width of panels in pixels, to which they are enlarged by an integer factor. */
export const PANEL = 256;

/** Of a JPEG: a sheet of four pictures takes some 100 kB. */
const QUALITY = 85;

/** A picture in its place on a sheet. */
export interface Panel extends ShownPicture {
  readonly left: number;
  readonly top: number;
}

/** Writes panels on white, with the SVG of `text` over them, as PNG, or as JPEG where the path ends in .jpg. */
export async function writeSheet(
  path: string,
  sheet: { readonly width: number; readonly height: number },
  panels: readonly Panel[],
  text: string,
): Promise<void> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${sheet.width}" height="${sheet.height}">${text}</svg>`;
  const placed = panels.map(({ image, width, height, left, top }) => ({
    input: Buffer.from(image),
    raw: { width, height, channels: 3 as const },
    left,
    top,
  }));
  const sharp = loadSharp();
  const drawn = sharp({ create: { ...sheet, channels: 3, background: 'white' } }).composite([
    ...placed,
    { input: Buffer.from(svg), left: 0, top: 0 },
  ]);
  const encoded = path.endsWith('.jpg') ? drawn.jpeg({ quality: QUALITY }) : drawn.png();
  await writeFileAtomic(path, await encoded.toBuffer());
}

/** RGB bytes enlarged by an integer factor. */
export async function enlarge(
  image: Uint8Array,
  { width, height }: Pick<ShownPicture, 'width' | 'height'>,
  factor: number,
): Promise<Uint8Array> {
  const sharp = loadSharp();
  return sharp(image, { raw: { width, height, channels: 3 } })
    .resize(width * factor, height * factor, { kernel: 'cubic' })
    .raw()
    .toBuffer();
}

/** An upper bound for the width of a text in pixels. */
export function textWidth(text: string): number {
  return 0.64 * FONT * text.length;
}

/** A text, shortened to a width in pixels. */
export function fit(text: string, width: number): string {
  const most = Math.floor(width / textWidth('m'));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** A line of text as SVG. */
export function label(x: number, y: number, text: string, bold = false): string {
  const safe = text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="${FONT}"${bold ? ' font-weight="bold"' : ''}>${safe}</text>`;
}
