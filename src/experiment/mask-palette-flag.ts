import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { type Palette, paletteIds, paletteNames, parsePalette } from '../tasks/segmentation/palette.js';
import { paletteOf, palettes } from '../tasks/segmentation/palettes.js';

/** A class of a palette, as runs record it. */
const entry = z.object({
  name: z.string().min(1),
  colours: z.array(z.string().regex(/^#[0-9a-f]{6}$/)).min(1),
  ignored: z.boolean().optional(),
});

/** A palette as runs record it: a name, or its classes. */
export const recordedPalette = z.union([z.string(), z.array(entry)]);

/** A palette by its name, a file of colours, which is read at once, or the classes themselves, as runs record them. */
const given = z
  .union([z.string().min(1), z.array(entry)])
  .transform((value): string | Palette =>
    typeof value !== 'string' ? (value as Palette) : palettes.has(value) ? value : fileOf(value),
  );

/**
 * The palette of colour-coded masks. Its classes are the defaults of `--mask-ids` (places in the palette) and
 * `--class-names`.
 */
export const maskPaletteFlag = given.optional().meta({
  expects: 'a palette or a file of colours',
  defaults: (value: unknown) => {
    const palette = paletteOf(given.parse(value));
    return {
      from: '--mask-palette',
      values: { maskIds: paletteIds(palette), classNames: paletteNames(palette) },
    };
  },
  description:
    'colours of colour-coded masks: voc, cityscapes, camvid, or a file with a line "R G B name" for each; default: masks store ids',
});

function fileOf(path: string): Palette {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UserError(
      `--mask-palette ${path}: expected one of ${palettes.names.join(', ')}, or a file of colours, got ${whatIsThere(cause as NodeJS.ErrnoException)}${didYouMean(path, palettes.names)}`,
      { path },
      { cause },
    );
  }
  return parsePalette(text, path);
}
