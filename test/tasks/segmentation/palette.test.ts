import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { readColourMask } from '../../../src/data/images/colour-mask.js';
import { readMaskIds } from '../../../src/tasks/segmentation/mask-format.js';
import { maskPng } from '../../../src/tasks/segmentation/mask-png.js';
import {
  colourIds,
  paletteIds,
  paletteNames,
  parsePalette,
} from '../../../src/tasks/segmentation/palette.js';
import { palettes } from '../../../src/tasks/segmentation/palettes.js';
import { png } from '../../data/images/png-writer.js';

describe('palettes', () => {
  it('are read from lines of colour and name, in any of the usual forms', () => {
    const wanted = parsePalette('0 0 0 void\n128 64 128 road\n255 0 0 traffic light\n192 0 64 road', 'a');
    assert.deepEqual(wanted, [
      { name: 'void', colours: ['#000000'], ignored: true },
      { name: 'road', colours: ['#804080', '#c00040'] },
      { name: 'traffic light', colours: ['#ff0000'] },
    ]);
    const csv = 'name,r,g,b\nvoid,0,0,0\nroad,128,64,128\n\ntraffic light,255,0,0\nroad,192,0,64\n';
    assert.deepEqual(parsePalette(csv, 'a'), wanted);
    assert.deepEqual(
      parsePalette('#000000 void\r\n#804080\troad\r\n#FF0000,traffic light\r\n192 0 64 road', 'a'),
      wanted,
    );
    assert.deepEqual(
      [paletteIds(wanted), paletteNames(wanted)],
      [{ 0: 255, 1: 0, 2: 1 }, ['road', 'traffic light']],
    );
    assert.deepEqual(paletteIds(wanted.slice(1)), [0, 1]);
  });

  it('name the line that is wrong', () => {
    const refuses = (text: string, message: RegExp) =>
      assert.throws(() => parsePalette(text, 'p.txt'), { name: 'UserError', message });
    refuses('0 0 0 a\n0 0 256 b', /^p\.txt:2: expected a colour and a name/);
    refuses(
      '0 0 0 a\n1 1 1 b\n0 0 0 c',
      /^p\.txt:3: expected each colour once, got #000000 again, as in line 1/,
    );
    refuses('0 0 0 void\n1 1 1 b', /expected 2 to 254 classes, got 1/);
  });

  it('of known data sets have the published numbers of classes and no colour twice', () => {
    const counts = { voc: 21, cityscapes: 19, camvid: 11 };
    assert.deepEqual(palettes.names, Object.keys(counts));
    for (const [name, count] of Object.entries(counts)) {
      const palette = palettes.make(name);
      assert.equal(paletteNames(palette).length, count, name);
      assert.equal(colourIds(palette).size, palette.flatMap(({ colours }) => colours).length);
    }
    // VOC's colours interleave the bits of the id over red, green and blue, from the top.
    palettes
      .make('voc')
      .slice(0, 21)
      .forEach(({ colours }, id) => {
        const channel = (bit: number) =>
          [0, 1, 2].reduce((sum, k) => sum | (((id >> (3 * k + bit)) & 1) << (7 - k)), 0);
        assert.equal(
          colours[0],
          `#${[0, 1, 2].map((bit) => channel(bit).toString(16).padStart(2, '0')).join('')}`,
        );
      });
  });
});

describe('readColourMask', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-palette-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  const palette = parsePalette('10 20 30 void\n128 64 128 road\n255 0 0 light', 'p');

  it('reads what maskPng writes, whatever the ids', async () => {
    const path = join(dir, 'any.png');
    const ids = fc.uint8Array({ min: 0, max: 2, minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(ids, async (data) => {
        writeFileSync(path, await maskPng({ width: 4, height: 3, data }, palette));
        assert.deepEqual((await readMaskIds(path, palette)).data, data);
        writeFileSync(path, await maskPng({ width: 4, height: 3, data }));
        assert.deepEqual((await readMaskIds(path, undefined)).data, data);
      }),
      { numRuns: 20 },
    );
  });

  it('counts a palette picture by its colours, and drops alpha', async () => {
    const path = join(dir, 'indexed.png');
    const bytes = encode({
      width: 2,
      height: 1,
      data: Uint8Array.of(1, 0),
      depth: 8,
      channels: 1,
      palette: [
        [255, 0, 0],
        [128, 64, 128],
      ],
    });
    writeFileSync(path, bytes);
    assert.deepEqual([...(await readColourMask(path, colourIds(palette))).data], [1, 2]);
    const alpha = join(dir, 'alpha.png');
    writeFileSync(alpha, png({ width: 1, height: 1, depth: 8, colour: 6 }, [255, 0, 0, 7]));
    assert.deepEqual([...(await readColourMask(alpha, colourIds(palette))).data], [2]);
  });

  it('names an undeclared colour with its place, and what a near one means', async () => {
    const path = join(dir, 'strange.png');
    const write = (...last: number[]) =>
      writeFileSync(
        path,
        encode({
          width: 2,
          height: 2,
          data: Uint8Array.of(255, 0, 0, 255, 0, 0, 128, 64, 128, ...last),
          depth: 8,
          channels: 3,
        }),
      );
    write(1, 200, 3);
    await assert.rejects(readColourMask(path, colourIds(palette)), {
      message: `${path}: expected colours of the palette, got #01c803 (1 200 3) at x 1, y 1; declare it in the palette, see --mask-palette`,
    });
    write(130, 64, 121);
    await assert.rejects(
      readColourMask(path, colourIds(palette)),
      /it is near #804080: save masks without compression/,
    );
  });
});
