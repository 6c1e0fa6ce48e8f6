import { UserError } from '../../base/errors.js';
import { type ColourIds, hexOf } from '../../data/images/colour-mask.js';

/** A class of a palette: its name, and the colours that mean it. */
export interface PaletteClass {
  readonly name: string;
  /** Each as `#rrggbb`; the first one is what the class is drawn in. */
  readonly colours: readonly string[];
  /** Pixels of these colours are ignored by every loss and metric. Default false. */
  readonly ignored?: boolean;
}

/** The classes of colour-coded masks; the place of a class is the id that its colours mean. */
export type Palette = readonly PaletteClass[];

/** The names that mean: ignored. */
const IGNORED = /^(void|ignored?|unlabell?ed)$/i;

/** The most classes and ignored names of a palette, since 255 is the id of what is ignored. */
const MOST = 254;

/**
 * Reads a palette from text: a line a colour, `128 64 128 road` or `road,128,64,128` or `#804080 road`. Lines of one name
 * are one class; what is called void, ignore or unlabelled is ignored. A heading and empty lines count for nothing.
 *
 * @param where what the text is called in messages
 * @throws UserError with the line, for one that is none of these, for a colour that comes twice, and for fewer than two classes.
 * @example
 * parsePalette('128 64 128 road\n0 0 192 kerb', 'mine.txt'); // => [{ name: 'road', colours: ['#804080'] }, { name: 'kerb', colours: ['#0000c0'] }]
 */
export function parsePalette(text: string, where: string): Palette {
  const classes = new Map<string, { name: string; colours: string[]; ignored?: boolean }>();
  const seen = new Map<string, number>();
  for (const [i, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || (i === 0 && /^name\W+r\W+g\W+b$|^r\W+g\W+b\W+name$/i.test(line))) continue;
    const fail = (expected: string, got: string) =>
      new UserError(`${where}:${i + 1}: expected ${expected}, got ${got}`, { path: where, line: i + 1 });
    const parsed = colourAndName(line);
    if (!parsed) throw fail('a colour and a name, such as 128 64 128 road', line);
    const { name, colour } = parsed;
    const before = seen.get(colour);
    if (before !== undefined) throw fail('each colour once', `${colour} again, as in line ${before}`);
    seen.set(colour, i + 1);
    const known = classes.get(name);
    if (known) known.colours.push(colour);
    else classes.set(name, { name, colours: [colour], ...(IGNORED.test(name) && { ignored: true }) });
  }
  const palette = [...classes.values()];
  const counted = palette.filter(({ ignored }) => !ignored).length;
  if (counted < 2 || palette.length > MOST)
    throw new UserError(`${where}: expected 2 to ${MOST} classes, got ${counted}`, { path: where });
  return palette;
}

function colourAndName(line: string): { name: string; colour: string } | undefined {
  const hex = /^(#[0-9a-f]{6})[\s,;]+(\S.*)$/i.exec(line);
  if (hex) return { colour: hex[1]!.toLowerCase(), name: hex[2]!.trim() };
  const cells = /^(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\S.*)$/.exec(line);
  const turned = /^(\S.*?)[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})$/.exec(line);
  const [name, ...channels] = cells ? [cells[4], ...cells.slice(1, 4)] : turned ? turned.slice(1, 5) : [];
  const [r, g, b] = channels.map(Number);
  if (name === undefined || Math.max(r!, g!, b!) > 255) return undefined;
  return { name: name.trim(), colour: hexOf((r! << 16) | (g! << 8) | b!) };
}

/** The id of each colour of a palette. */
export function colourIds(palette: Palette): ColourIds {
  return new Map(
    palette.flatMap(({ colours }, id) =>
      colours.map((colour) => [Number.parseInt(colour.slice(1), 16), id] as const),
    ),
  );
}

/** The ids of a palette's classes as masks of ids would declare them, those of ignored colours too. */
export function paletteIds(palette: Palette): readonly number[] | Readonly<Record<number, number>> {
  let count = 0;
  const ids = palette.map(({ ignored }) => (ignored ? 255 : count++));
  return ids.includes(255) ? Object.fromEntries(ids.entries()) : ids;
}

/** The names of a palette's classes, without the ignored ones. */
export function paletteNames(palette: Palette): string[] {
  return palette.filter(({ ignored }) => !ignored).map(({ name }) => name);
}
