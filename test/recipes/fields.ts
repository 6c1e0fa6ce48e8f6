import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { randomStream } from '../../src/random/random-stream.js';
import { type StackPage, stack } from '../data/images/tiff-writer.js';

/** How `makeFields` stores its channels: bands together, each by itself, or as pages. */
export type Layout = 'together' | 'apart' | 'pages';

/**
 * Made pictures of several channels, 16 bits, values up to 10,000, in `folder/images`, and their masks of 0 and 1 in
 * `folder/masks`. Noise, but for the last channel, which alone shows a rectangle that the mask marks.
 */
export function makeFields(
  folder: string,
  {
    count,
    size,
    channels,
    layout = 'together',
  }: { count: number; size: number; channels: number; layout?: Layout },
): void {
  for (const part of ['images', 'masks']) mkdirSync(join(folder, part), { recursive: true });
  for (let i = 0; i < count; i++) {
    const random = randomStream(11, 'field', i);
    const side = size / 2;
    const [left, top] = [Math.floor(random() * 2) * side, Math.floor(random() * 2) * side];
    const inside = (pixel: number) => {
      const [x, y] = [pixel % size, Math.floor(pixel / size)];
      return x >= left && x < left + side && y >= top && y < top + side;
    };
    const bands = Array.from({ length: channels }, (_, c) =>
      Uint16Array.from({ length: size * size }, (__, pixel) =>
        c === channels - 1 && inside(pixel) ? 9_000 + 1_000 * random() : 4_000 * random(),
      ),
    );
    const page = { width: size, height: size };
    const pages: Record<Layout, () => StackPage[]> = {
      pages: () => bands.map((values) => ({ ...page, bands: 1, values })),
      apart: () => [
        {
          ...page,
          bands: channels,
          values: Uint16Array.from(bands.flatMap((band) => [...band])),
          planar: true,
        },
      ],
      together: () => [
        {
          ...page,
          bands: channels,
          values: Uint16Array.from(
            { length: size * size * channels },
            (_, at) => bands[at % channels]![Math.floor(at / channels)]!,
          ),
        },
      ],
    };
    writeFileSync(join(folder, 'images', `field_${i}.tif`), stack(pages[layout]()));
    const data = Uint8Array.from({ length: size * size }, (_, pixel) => Number(inside(pixel)));
    writeFileSync(join(folder, 'masks', `field_${i}.png`), encode({ ...page, data, channels: 1, depth: 8 }));
  }
}
