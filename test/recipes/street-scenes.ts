import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { randomStream } from '../../src/random/random-stream.js';
import { palettes } from '../../src/tasks/segmentation/palettes.js';

const CLASSES = palettes.make('camvid');

/** Places of the classes in the scenes: sky, buildings, a road with pavements, and things on them. */
const NAMES = CLASSES.map(({ name }) => name);

/**
 * Makes street scenes of rectangles in `dir`: images/<stem>.png, labels/<stem>_L.png in CamVid's colours, and train.txt,
 * val.txt and test.txt. All eleven classes occur, and void along the border.
 */
export function makeStreetScenes(
  dir: string,
  { width, height, counts }: { width: number; height: number; counts: readonly [number, number, number] },
): void {
  for (const folder of ['images', 'labels']) mkdirSync(join(dir, folder), { recursive: true });
  let scene = 0;
  for (const [i, list] of ['train', 'val', 'test'].entries()) {
    const stems = Array.from({ length: counts[i]! }, () => `0001TP_${String(scene++).padStart(6, '0')}`);
    for (const stem of stems) drawScene(dir, stem, width, height);
    writeFileSync(
      join(dir, `${list}.txt`),
      `${stems.map((stem) => `images/${stem}.png labels/${stem}_L.png`).join('\n')}\n`,
    );
  }
}

function drawScene(dir: string, stem: string, width: number, height: number): void {
  const random = randomStream(7, stem);
  const ids = new Uint8Array(width * height).fill(NAMES.indexOf('building'));
  const box = (name: string, x: number, y: number, w: number, h: number) => {
    for (let row = Math.round(y * height); row < Math.min(height, (y + h) * height); row++)
      ids.fill(
        NAMES.indexOf(name),
        row * width + Math.round(x * width),
        row * width + Math.round(Math.min(1, x + w) * width),
      );
  };
  box('sky', 0, 0, 1, 0.25 + 0.1 * random());
  box('pavement', 0, 0.6, 1, 0.4);
  box('road', 0.15 + 0.1 * random(), 0.6, 0.6, 0.4);
  box('tree', 0.75 * random(), 0.2, 0.2, 0.4);
  box('fence', 0.7, 0.5, 0.3, 0.1);
  box('pole', 0.9 * random(), 0.15, 0.03, 0.5);
  box('sign', 0.8 * random(), 0.2, 0.1, 0.1);
  box('car', 0.2 + 0.4 * random(), 0.65, 0.2, 0.15);
  box('pedestrian', 0.05 + 0.8 * random(), 0.5, 0.05, 0.25);
  box('bicyclist', 0.3 + 0.4 * random(), 0.55, 0.08, 0.2);
  box('void', 0, 0, 0.02, 1);
  const image = new Uint8Array(3 * ids.length);
  const mask = new Uint8Array(3 * ids.length);
  ids.forEach((id, pixel) => {
    const colour = Number.parseInt(CLASSES[id]!.colours[0]!.slice(1), 16);
    for (const [c, shift] of [16, 8, 0].entries()) {
      const value = (colour >> shift) & 255;
      mask[3 * pixel + c] = value;
      image[3 * pixel + c] = Math.min(255, Math.max(0, 200 - value + 40 * random()));
    }
  });
  const png = (data: Uint8Array) => encode({ width, height, data, channels: 3, depth: 8 });
  writeFileSync(join(dir, 'images', `${stem}.png`), png(image));
  writeFileSync(join(dir, 'labels', `${stem}_L.png`), png(mask));
}
