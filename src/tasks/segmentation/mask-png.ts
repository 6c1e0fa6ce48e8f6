import type { Palette } from './palette.js';

/** A mask of ids, row by row. */
export interface IdGrid {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array;
}

/**
 * A mask as PNG, in the form that `decode` reads with the same palette: grey with an id a pixel, in 16 bits where an id
 * needs them, or with a palette the colours of its classes. Ids that the palette has not, such as 255, are black.
 */
export async function maskPng(
  { width, height, data }: IdGrid,
  palette?: Palette | undefined,
): Promise<Uint8Array> {
  const { encode } = await import('fast-png');
  if (!palette)
    return encode({ width, height, data, depth: data instanceof Uint16Array ? 16 : 8, channels: 1 });
  const colours = palette.map(({ colours: [first] }) => Number.parseInt(first!.slice(1), 16));
  const rgb = new Uint8Array(3 * data.length);
  data.forEach((id, pixel) => {
    const colour = colours[id] ?? 0;
    rgb.set([colour >> 16, (colour >> 8) & 255, colour & 255], 3 * pixel);
  });
  return encode({ width, height, data: rgb, depth: 8, channels: 3 });
}
