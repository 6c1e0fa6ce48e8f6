import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { type Plot, toSvg } from './render.js';

/** Where a notebook shows pictures, such as `tslab.display`. */
export interface Display {
  /** Shows a drawing. */
  svg(text: string): void;
  /** Shows the bytes of a PNG file. */
  png(bytes: Uint8Array): void;
  /** Shows the bytes of a JPEG file. */
  jpeg(bytes: Uint8Array): void;
}

/**
 * Shows plots and pictures in a notebook, one below the other.
 *
 * @param display the notebook's: `tslab.display`
 * @param things plots as `runPlots` and `studyPlots` make them, and paths of PNG, JPEG and SVG files
 * @throws UserError for a file of another kind, or that is not there.
 * @example
 * const display = { svg: console.log, png: console.log, jpeg: console.log }; // in a notebook: tslab.display
 * await show(display, 'plots/lora_42/overlays.jpg');
 */
export async function show(display: Display, ...things: readonly (Plot | string)[]): Promise<void> {
  for (const thing of things)
    if (typeof thing === 'string') await showFile(display, thing);
    else display.svg(await toSvg(thing));
}

async function showFile(display: Display, path: string): Promise<void> {
  const ending = extname(path).toLowerCase();
  const ways: Readonly<Record<string, (bytes: Buffer) => void>> = {
    '.png': (bytes) => display.png(bytes),
    '.jpg': (bytes) => display.jpeg(bytes),
    '.jpeg': (bytes) => display.jpeg(bytes),
    '.svg': (bytes) => display.svg(bytes.toString()),
  };
  const way = ways[ending];
  if (!way)
    throw new UserError(`${path}: expected a .png, .jpg or .svg, got ${ending || 'no ending'}`, { path });
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(`${path}: expected a picture, got ${whatIsThere(cause)}`, { path }, { cause });
  });
  way(bytes);
}
