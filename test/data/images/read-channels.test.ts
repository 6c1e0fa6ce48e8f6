import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { readImage, readMask } from '../../../src/data/images/image-file.js';
import type { PixelFormat } from '../../../src/data/images/pixel-format.js';
import { checkDeepImage, readChannels } from '../../../src/data/images/read-channels.js';
import { stack } from './tiff-writer.js';

const [WIDTH, HEIGHT] = [5, 3];
const SIZE = { width: WIDTH, height: HEIGHT };

/** Value c of pixel i: of no pattern that a swap of bands or rows would leave. */
const valueAt = (i: number, c: number) => (7919 * i + 104_729 * c + 4096) % 65_536;
const together = (bands: number) =>
  Uint16Array.from({ length: WIDTH * HEIGHT * bands }, (_, at) =>
    valueAt(Math.floor(at / bands), at % bands),
  );
const apart = (bands: number) =>
  Uint16Array.from({ length: WIDTH * HEIGHT * bands }, (_, at) =>
    valueAt(at % (WIDTH * HEIGHT), Math.floor(at / (WIDTH * HEIGHT))),
  );
const source = (bytes: Buffer, name = 'field.tif') => ({ kind: 'bytes', bytes, name }) as const;
const values = async (bytes: Buffer, format: PixelFormat) => [
  ...(await readChannels(source(bytes), format)).data,
];

describe('readChannels', () => {
  for (const bands of [1, 2, 3, 4, 5, 13]) {
    it(`reads ${bands} bands of 16 bits, together or each by itself`, async () => {
      const expected = [...together(bands)];
      const interleaved = stack([{ ...SIZE, bands, values: together(bands) }]);
      assert.deepEqual(await values(interleaved, { channels: bands }), expected);
      for (const photometric of bands > 2 ? [1, 2] : [1]) {
        const planar = stack([{ ...SIZE, bands, values: apart(bands), planar: true, photometric }]);
        assert.deepEqual(await values(planar, { channels: bands }), expected);
      }
    });
  }

  it('reads pages as channels, in their order, without a smaller copy of the picture', async () => {
    const pages = Array.from({ length: 4 }, (_, c) => ({
      ...SIZE,
      bands: 1,
      values: Uint16Array.from({ length: WIDTH * HEIGHT }, (_, i) => valueAt(i, c)),
    }));
    const thumbnail = { width: 2, height: 1, bands: 1, values: Uint16Array.of(1, 2), subfile: 1 };
    assert.deepEqual(await values(stack([...pages, thumbnail]), { channels: 4 }), [...together(4)]);
    // Two pages of two bands are four channels, too.
    const halves = [0, 2].map((first) => ({
      ...SIZE,
      bands: 2,
      values: Uint16Array.from({ length: 2 * WIDTH * HEIGHT }, (_, at) =>
        valueAt(Math.floor(at / 2), first + (at % 2)),
      ),
    }));
    assert.deepEqual(await values(stack(halves), { channels: 4 }), [...together(4)]);
  });

  it('reads 8 bits as 257 times as much, and all four channels of a PNG', async () => {
    const bytes = Uint8Array.from({ length: 4 * WIDTH * HEIGHT }, (_, i) => (37 * i) % 256);
    const expected = [...bytes].map((byte) => 257 * byte);
    assert.deepEqual(await values(stack([{ ...SIZE, bands: 4, values: bytes }]), { channels: 4 }), expected);
    const picture = await sharp(bytes, { raw: { ...SIZE, channels: 4 } })
      .png()
      .toBuffer();
    assert.deepEqual(await values(picture, { channels: 4 }), expected);
  });

  it('reads a PNG of 16 bits whole', async () => {
    const grey = together(1);
    const bytes = await sharp(grey, { raw: { ...SIZE, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    assert.deepEqual(await values(bytes, { channels: 1 }), [...grey]);
    const colours = together(3);
    const coloured = await sharp(colours, { raw: { ...SIZE, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    assert.deepEqual(await values(coloured, { channels: 3 }), [...colours]);
  });

  it('makes 0 and full scale of the ends of a range, of floats too, and of NaN 0', async () => {
    const wide = stack([
      { width: 5, height: 1, bands: 1, values: Uint16Array.of(0, 1000, 3000, 5000, 9000) },
    ]);
    assert.deepEqual(
      await values(wide, { channels: 1, range: [1000, 5000] }),
      [0, 0, 32_768, 65_535, 65_535],
    );
    const floats = stack([{ width: 4, height: 1, bands: 1, values: Float32Array.of(-1, 0, 1, Number.NaN) }]);
    assert.deepEqual(await values(floats, { channels: 1, range: [-1, 1] }), [0, 32_768, 65_535, 0]);
  });

  it('refuses, by name, what has other channels or values', async () => {
    const refused = (bytes: Buffer, format: PixelFormat, message: RegExp) =>
      assert.rejects(readChannels(source(bytes), format), { name: 'UserError', message });
    const four = stack([{ ...SIZE, bands: 4, values: together(4) }]);
    await refused(four, { channels: 13 }, /^field\.tif: expected 13 channels \(--channels 13\), got 4; /);
    await refused(
      stack([{ ...SIZE, bands: 1, values: Float32Array.from(together(1)) }]),
      { channels: 1 },
      /expected integers of 8 or 16 bits, got other numbers; .*--range 0,1/,
    );
    const dim = stack([{ ...SIZE, bands: 1, values: together(1).map((value) => value >> 4) }]);
    await refused(dim, { channels: 1 }, /got at most \d+, as of 12 bits, .*--range 0,4095/);
    const bytes = stack([{ ...SIZE, bands: 1, values: new Uint8Array(WIDTH * HEIGHT) }]);
    await refused(bytes, { channels: 1, range: [0, 4095] }, /expected values up to 4095 .* got 8 bits/);
    const sizes = [
      { ...SIZE, bands: 1, values: together(1) },
      { width: 1, height: 1, bands: 1, values: Uint16Array.of(5) },
    ];
    await refused(stack(sizes), { channels: 2 }, /expected pages of one size, got 5×3 and 1×1/);
    await refused(
      stack([{ ...SIZE, bands: 1, values: together(1), photometric: 3 }]),
      { channels: 1 },
      /got a palette/,
    );
    const inks = await sharp({ create: { ...SIZE, channels: 3, background: 'red' } })
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    await refused(inks, { channels: 4 }, /got the inks of CMYK/);
  });

  it('says by the header alone what it would refuse', async () => {
    const pages = Array.from({ length: 5 }, () => ({ ...SIZE, bands: 1, values: together(1) }));
    const bytes = stack(pages);
    assert.equal(await checkDeepImage('a.tif', bytes, { channels: 5 }), '5×3');
    await assert.rejects(checkDeepImage('a.tif', bytes, { channels: 4 }), {
      name: 'UserError',
      message:
        'a.tif: expected 4 channels (--channels 4), got 5, in 5 pages; convert it, or give --channels 5 for all pictures',
    });
    const png = await sharp({ create: { ...SIZE, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await assert.rejects(checkDeepImage('a.png', png, { channels: 1 }), /got 3/);
  });

  it('reads, or refuses in one line, whatever bytes are wrong', async () => {
    const wholes = [
      stack([{ ...SIZE, bands: 4, values: together(4) }]),
      stack([{ ...SIZE, bands: 4, values: apart(4), planar: true }]),
      stack([0, 1].map(() => ({ ...SIZE, bands: 2, values: together(2) }))),
    ];
    const read = async (bytes: Buffer) => {
      try {
        const { width, height, data } = await readChannels(source(bytes), { channels: 4 });
        assert.equal(data.length, 4 * width * height);
      } catch (error) {
        assert.equal((error as Error).name, 'UserError', (error as Error).stack);
        assert.ok(!(error as Error).message.includes('\n'));
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: wholes.length - 1 }),
        fc.array(fc.tuple(fc.nat({ max: 600 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0.2, max: 1, noNaN: true }),
        async (which, changes, share) => {
          const bytes = Buffer.from(wholes[which]!);
          for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
          await read(bytes.subarray(0, Math.ceil(share * bytes.length)));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('readImage of what has more than RGB of 8 bits', () => {
  it('refuses a TIFF of several pages rather than losing all but the first', async () => {
    const bytes = stack([0, 1].map(() => ({ ...SIZE, bands: 1, values: together(1) })));
    for (const read of [readImage, readMask])
      await assert.rejects(read(source(bytes)), {
        name: 'UserError',
        message: /expected one page, got 2; where pages are channels, give --channels 2/,
      });
  });

  it('reads three grey bands that lie apart, which libvips takes for rows', async () => {
    for (const photometric of [1, 2]) {
      const bytes = stack([{ ...SIZE, bands: 3, values: apart(3), planar: true, photometric }]);
      assert.deepEqual(
        [...(await readImage(source(bytes))).data],
        [...together(3)].map((value) => value >> 8),
      );
    }
    const four = stack([{ ...SIZE, bands: 4, values: apart(4), planar: true }]);
    await assert.rejects(readImage(source(four)), /expected three bands .* got 4 bands; give --channels 4/);
    await assert.rejects(readMask(source(four)), /expected bands that lie together, got 4 one after another/);
  });
});
