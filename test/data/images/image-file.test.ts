import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { readImage, readMask } from '../../../src/data/images/image-file.js';
import { needsSharedData } from '../../shared-data.js';
import { type PngOptions, png } from './png-writer.js';
import { floats, tiff } from './tiff-writer.js';

/** Made by golden/make_pillow.py. */
const golden = JSON.parse(readFileSync(new URL('golden/pillow.json', import.meta.url), 'utf8')) as {
  decode: Record<string, { file: string; width: number; height: number; rgb: string; values: string }>;
};
const RED = [200, 40, 10];
/** 3 × 2: red, then black. */
const pixels = Buffer.from([...RED, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const picture = () => sharp(pixels, { raw: { width: 3, height: 2, channels: 3 } });
const even = (colour: number[]) =>
  sharp({
    create: {
      width: 16,
      height: 16,
      channels: 3,
      background: { r: colour[0]!, g: colour[1]!, b: colour[2]! },
    },
  });

describe('image files', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-images-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  const file = (bytes: Buffer, name = 'picture.jpg') => {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return path;
  };
  const firstPixel = async (bytes: Buffer) => [...(await readImage(file(bytes))).data.subarray(0, 3)];

  describe('readImage', () => {
    it('goes by the content: PNG, GIF, WebP and TIFF named .jpg', async () => {
      for (const bytes of [
        await picture().png().toBuffer(),
        await picture().gif().toBuffer(),
        await picture().webp({ lossless: true }).toBuffer(),
        await picture().tiff({ compression: 'lzw' }).toBuffer(),
      ]) {
        const { width, height, data } = await readImage(file(bytes));
        assert.deepEqual([width, height, data.length], [3, 2, 18]);
        assert.deepEqual([...data.subarray(0, 3)], RED);
      }
    });

    it('turns the picture as EXIF says', async () => {
      const { width, height, data } = await readImage(
        file(await picture().withMetadata({ orientation: 6 }).png().toBuffer()),
      );
      assert.deepEqual([width, height], [2, 3]); // a quarter to the right: the red corner comes to the right
      assert.deepEqual([...data.subarray(3, 6)], RED);
    });

    it('drops alpha and keeps the colour below', async () => {
      const clear = png({ width: 1, height: 1, depth: 8, colour: 6 }, [...RED, 0]);
      assert.deepEqual(await firstPixel(clear), RED);
    });

    it('makes RGB of grey, of grey with alpha, of 1 bit and of a palette', async () => {
      const grey = (depth: 1 | 8, colour: 0 | 4, samples: number[]) =>
        firstPixel(png({ width: 1, height: 1, depth, colour }, samples));
      assert.deepEqual(await grey(8, 0, [70]), [70, 70, 70]);
      assert.deepEqual(await grey(8, 4, [70, 9]), [70, 70, 70]);
      assert.deepEqual(await grey(1, 0, [1]), [255, 255, 255]);
      const palette = png({ width: 1, height: 1, depth: 8, colour: 3 }, [2]);
      assert.deepEqual(await firstPixel(palette), [(6 * 37) % 256, (7 * 37) % 256, (8 * 37) % 256]);
    });

    it('makes bytes of 16 bits', async () => {
      const wide = png(
        { width: 1, height: 1, depth: 16, colour: 2 },
        RED.map((byte) => byte * 257),
      );
      assert.deepEqual(await firstPixel(wide), RED);
      const grey = png({ width: 1, height: 1, depth: 16, colour: 0 }, [70 * 257]);
      assert.deepEqual(await firstPixel(grey), [70, 70, 70]);
    });

    it('makes RGB of CMYK', async () => {
      const [r, g, b] = await firstPixel(await even([220, 30, 30]).toColourspace('cmyk').jpeg().toBuffer());
      assert.ok(r! > 180 && g! < 90 && b! < 90, `${[r, g, b]}`);
    });

    it('ignores colour profiles, as PIL does', async () => {
      const plain = await even(RED).png().toBuffer();
      const profiled = await sharp(plain).withIccProfile('p3').png().toBuffer();
      const stored = await sharp(profiled, { ignoreIcc: true }).removeAlpha().raw().toBuffer();
      assert.notDeepEqual([...stored.subarray(0, 3)], RED); // other numbers, for the same colour
      assert.deepEqual(await firstPixel(profiled), [...stored.subarray(0, 3)]);
    });

    it('takes the first frame of an animation', async () => {
      const frames = await sharp([await even(RED).png().toBuffer(), await even([0, 0, 0]).png().toBuffer()], {
        join: { animated: true },
      })
        .gif()
        .toBuffer();
      const { height, data } = await readImage(file(frames));
      assert.deepEqual([height, ...data.subarray(0, 3)], [16, ...RED]);
    });

    it('reads the RGBA PNG and the GIF among the photographs', async function () {
      const images = join(needsSharedData(this, 'oxford_pets_3breeds'), 'images');
      for (const name of ['Abyssinian_5.jpg', 'Abyssinian_34.jpg']) {
        const { width, height, data } = await readImage(join(images, name));
        assert.equal(data.length, width * height * 3, name);
      }
    });
  });

  describe('readMask', () => {
    const ids = async (bytes: Buffer, name = 'mask.png') => [...(await readMask(file(bytes, name))).data];

    for (const depth of [1, 2, 4, 8] as const)
      for (const [kind, colour] of [
        ['palette', 3],
        ['grey', 0],
      ] as const)
        it(`reads ids as stored at ${depth} bits, ${kind}`, async () => {
          // 5 wide, so that rows end within a byte
          const stored = Array.from({ length: 15 }, (_, i) => (i * 3) % 2 ** depth);
          assert.deepEqual(await ids(png({ width: 5, height: 3, depth, colour }, stored)), stored);
        });

    it('reads 16-bit grey, and grey with alpha', async () => {
      const options = { width: 3, height: 1, depth: 16, colour: 0 } as const;
      assert.deepEqual(await ids(png(options, [0, 300, 65535])), [0, 300, 65535]);
      const alpha = { width: 2, height: 1, depth: 8, colour: 4 } as const;
      assert.deepEqual(await ids(png(alpha, [7, 255, 2, 0])), [7, 2]);
    });

    it('reads grey pictures that are stored in colour', async () => {
      const colour = { width: 2, height: 1, depth: 8, colour: 2 } as const;
      assert.deepEqual(await ids(png(colour, [1, 1, 1, 255, 255, 255])), [1, 255]);
    });

    it('reads other formats by their grey values, 16 bits whole', async () => {
      const grey = () => sharp(Buffer.from([0, 1, 2, 3]), { raw: { width: 2, height: 2, channels: 1 } });
      assert.deepEqual(
        await ids(await grey().toColourspace('b-w').tiff({ compression: 'lzw' }).toBuffer(), 'm.tif'),
        [0, 1, 2, 3],
      );
      assert.deepEqual(await ids(await grey().webp({ lossless: true }).toBuffer(), 'm.webp'), [0, 1, 2, 3]);
      const wide = await sharp(Uint16Array.from([0, 1, 2, 300]), {
        raw: { width: 2, height: 2, channels: 1 },
      })
        .toColourspace('grey16')
        .tiff({ compression: 'none' })
        .toBuffer();
      assert.deepEqual(await ids(wide, 'm.tif'), [0, 1, 2, 300]);
    });
  });

  it('refuses a mask of ids in the palette of a TIFF or GIF, but for grey i at place i', async () => {
    const gif = await sharp(Buffer.from([0, 1, 2, 3]), { raw: { width: 2, height: 2, channels: 1 } })
      .gif()
      .toBuffer();
    const palette = Array.from({ length: 256 }, (_, i) => 257 * (i % 3) * 100);
    const samples = [0, 1, 2, 1];
    for (const [name, bytes] of [
      ['GIF', gif],
      ['TIFF', tiff({ width: 2, height: 2, bits: 8, samples, palette })],
    ] as const)
      await assert.rejects(readMask(file(bytes, 'mask')), {
        name: 'UserError',
        message: `${join(dir, 'mask')}: expected a mask whose ids are grey values, or a PNG with a palette, got a ${name} with a palette; save it as PNG, which keeps the ids`,
      });
    // The same pixels by their places: its first colour is what sharp keeps for transparency.
    for (let i = 0; i < 24; i++) gif[13 + i] = Math.floor(i / 3);
    assert.deepEqual([...(await readMask(file(gif, 'mask.gif'))).data], [4, 3, 2, 1]);
  });

  describe('what Pillow makes of its own files', () => {
    for (const [what, { file: bytes, width, height, rgb, values }] of Object.entries(golden.decode)) {
      const path = () => file(Buffer.from(bytes, 'base64'), 'golden');
      it(`${what}: the same RGB bytes`, async () => {
        const image = await readImage(path());
        assert.deepEqual([image.width, image.height], [width, height]);
        assert.deepEqual([...image.data], [...Buffer.from(rgb, 'base64')]);
      });
      if (!what.startsWith('CMYK'))
        it(`${what}: the same ids`, async () => {
          const mask = await readMask(path());
          assert.deepEqual([mask.width, mask.height], [width, height]);
          const unit = what.startsWith('1 bit') ? 255 : 1;
          assert.deepEqual(
            [...mask.data],
            [...Buffer.from(values, 'base64')].map((value) => value / unit),
          );
        });
    }
  });

  describe('bands', () => {
    const bands = (...values: number[]) => [...values, ...values];

    it('of 16 bits that are declared to be grey are red, green and blue, as GDAL writes them', async () => {
      for (const more of [[], [50000]]) {
        const tall = tiff({ width: 2, height: 1, bits: 16, samples: bands(30000, 10000, 60000, ...more) });
        assert.deepEqual(await firstPixel(tall), [117, 39, 234]);
      }
      const bytes = tiff({ width: 2, height: 1, bits: 8, samples: bands(117, 39, 234) });
      assert.deepEqual(await firstPixel(bytes), [117, 39, 234]);
    });

    it('are not a mask, unless they are equal', async () => {
      const read = (...values: number[]) =>
        readMask(file(tiff({ width: 2, height: 1, bits: 16, samples: bands(...values) }), 'm.tif'));
      await assert.rejects(read(1, 2, 3), /got colours/);
      assert.deepEqual([...(await read(300, 300, 300)).data], [300, 300]);
    });

    it('are refused where there are fewer bytes than pixels need, which libtiff takes for zeros', async () => {
      const whole = tiff({ width: 24, height: 24, bits: 1, samples: Array<number>(24 * 24).fill(1) });
      // Longer rows, and more of them: the directory comes after the pixels, width and height first.
      for (const entry of [0, 1]) {
        const bytes = Buffer.from(whole);
        bytes.writeUInt32LE(2_097_176, bytes.readUInt32LE(4) + 2 + 12 * entry + 8);
        await assert.rejects(readMask(file(bytes, 'm.tif')), {
          name: 'UserError',
          message: /m\.tif: expected a whole TIFF of 6291528 bytes of pixels, got a file of 194; replace it/,
        });
      }
    });

    it('are refused where there are more than four', async () => {
      const five = tiff({ width: 2, height: 1, bits: 8, samples: bands(1, 2, 3, 4, 5) });
      await assert.rejects(readImage(file(five)), { name: 'UserError', message: /at most 4 bands, got 5/ });
    });

    for (const bits of [1, 2, 4] as const)
      it(`of ${bits} bits give ids from 0 up, as in PNG`, async () => {
        const samples = Array.from({ length: 10 }, (_, i) => (i * 3) % 2 ** bits);
        const ids = await readMask(file(tiff({ width: 5, height: 2, bits, samples }), 'm.tif'));
        assert.deepEqual([...ids.data], samples);
      });

    it('of 12 bits in 16 are refused, but for a picture that is black', async () => {
      const wide = (...samples: number[]) => [
        tiff({ width: 2, height: 1, bits: 16, samples }),
        png({ width: 2, height: 1, depth: 16, colour: 0 }, samples),
      ];
      for (const bytes of wide(4095, 7))
        await assert.rejects(readImage(file(bytes)), {
          name: 'UserError',
          message: /expected 16-bit pixels from 0 to 65535, got at most 4095, as of 12 bits/,
        });
      for (const bytes of wide(4096, 0)) assert.deepEqual(await firstPixel(bytes), [16, 16, 16]);
      for (const bytes of wide(0, 0)) assert.deepEqual(await firstPixel(bytes), [0, 0, 0]);
      assert.deepEqual([...(await readMask(file(wide(4095, 7)[0]!, 'm.tif'))).data], [4095, 7]);
    });
  });

  describe('what is no image', () => {
    const small: PngOptions = { width: 4, height: 4, depth: 8, colour: 0 };
    const mask = png(small, Array<number>(16).fill(1));
    const wrong: [string, 'image' | 'mask', () => Buffer | Promise<Buffer>, RegExp][] = [
      ['an empty file', 'image', () => Buffer.alloc(0), /expected an image, got 0 bytes/],
      ['an empty mask', 'mask', () => Buffer.alloc(0), /expected a mask, got 0 bytes/],
      ['three bytes', 'image', () => Buffer.from([0xff, 0xd8, 0xff]), /got 3 bytes/],
      ['zeros', 'image', () => Buffer.alloc(1000), /cannot be decoded/],
      ['zeros for a mask', 'mask', () => Buffer.alloc(1000), /cannot be decoded/],
      ['text', 'image', () => Buffer.from('<html>404 not found</html>'), /cannot be decoded/],
      ['text for a mask', 'mask', () => Buffer.from('version https://git-lfs'), /cannot be decoded/],
      ['half a JPEG', 'image', async () => half(await noise().jpeg().toBuffer()), /cannot be decoded/],
      ['half a PNG', 'image', async () => half(await noise().png().toBuffer()), /cannot be decoded/],
      ['half a GIF', 'image', async () => half(await noise().gif().toBuffer()), /cannot be decoded/],
      ['half a WebP', 'image', async () => half(await noise().webp().toBuffer()), /cannot be decoded/],
      ['half a mask', 'mask', () => half(mask), /cannot be decoded/],
      ['a mask without its last chunk', 'mask', () => mask.subarray(0, -12), /cannot be decoded/],
      ['a mask with a flipped bit', 'mask', () => flipped(mask, 45), /cannot be decoded/],
      ['a JPEG header alone', 'image', () => Buffer.from('ffd8ffe000104a464946', 'hex'), /cannot be decoded/],
      ['a mask of no size', 'mask', () => png({ ...small, width: 0 }, []), /cannot be decoded/],
      [
        'a mask that lies about its size',
        'mask',
        () => png({ ...small, width: 2 ** 31 - 1 }, [1, 1, 1, 1]),
        /cannot be decoded/,
      ],
      [
        'an image that lies about its size',
        'image',
        () => png({ ...small, width: 2 ** 31 - 1 }, [1, 1, 1, 1]),
        /cannot be decoded/,
      ],
      [
        'floats that are no numbers',
        'image',
        () => floats(Number.NaN),
        /expected 8 or 16-bit integer pixels, got float/,
      ],
      [
        'infinite floats for a mask',
        'mask',
        () => floats(Infinity),
        /expected 8 or 16-bit integer pixels, got float/,
      ],
      [
        'a drawing',
        'image',
        () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
        /got an SVG drawing/,
      ],
      [
        'a mask in alpha',
        'mask',
        () => png({ ...small, width: 2, height: 1, colour: 6 }, [0, 0, 0, 255, 0, 0, 0, 0]),
        /got 0 throughout and the mask in alpha/,
      ],
      [
        'a mask in alpha of grey',
        'mask',
        () => png({ ...small, width: 2, height: 1, colour: 4 }, [9, 255, 9, 0]),
        /got 9 throughout and the mask in alpha/,
      ],
      [
        'a mask of more pixels than are read',
        'mask',
        () => png({ ...small, width: 10_000, height: 10_000, depth: 1 }, []),
        /10000×10000 pixels are more than the 89478485 that are read/,
      ],
      [
        'a tall mask of few bytes',
        'mask',
        () => png({ ...small, width: 1, height: 80_000_000 }, []),
        /fewer pixels than it declares/,
      ],
      [
        'an image of more pixels than are read',
        'image',
        () => png({ ...small, width: 10_000, height: 10_000 }, []),
        /exceeds pixel limit/,
      ],
      ['a coloured mask', 'mask', () => picture().png().toBuffer(), /got colours/],
      ['a coloured mask in TIFF', 'mask', () => picture().tiff().toBuffer(), /got colours/],
      [
        'an interlaced mask of 2 bits',
        'mask',
        () => png({ ...small, depth: 2, interlaced: true }, Array<number>(16).fill(1)),
        /without interlacing/,
      ],
    ];
    for (const [what, kind, make, message] of wrong)
      it(`refuses ${what} in one line that names it`, async () => {
        const path = file(await make(), 'wrong.png');
        await assert.rejects(kind === 'image' ? readImage(path) : readMask(path), (error: Error) => {
          assert.equal(error.name, 'UserError', error.stack);
          assert.match(error.message, message);
          assert.ok(error.message.startsWith(path) && !error.message.includes('\n'), error.message);
          return true;
        });
      });

    it('is read, or refused by name, whichever bytes are wrong', async () => {
      const files = [mask, await noise().jpeg().toBuffer(), await noise().png({ palette: true }).toBuffer()];
      const bytes = fc.uint8Array({ maxLength: 20 });
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...files), fc.nat(4000), bytes, async (whole, at, patch) => {
          const broken = Buffer.from(whole);
          broken.set(patch.subarray(0, Math.max(0, broken.length - at)), Math.min(at, broken.length));
          const path = file(broken, 'broken.png');
          for (const read of [readImage, readMask])
            await read(path).catch((error: Error) => {
              assert.equal(error.name, 'UserError', error.stack);
              assert.ok(!error.message.includes('\n'));
            });
        }),
      );
    });

    it('unpacks no more of a mask than it declares', async () => {
      const bomb = png(
        { width: 4, height: 4, depth: 8, colour: 0 },
        Array<number>(16).fill(1),
        deflateSync(Buffer.alloc(2 ** 26)),
      );
      await assert.rejects(readMask(file(bomb)), { name: 'UserError', message: /cannot be decoded/ });
    });

    it('refuses a folder, and what is not there', async () => {
      await assert.rejects(readImage(dir), /expected an image, got a folder/);
      await assert.rejects(readMask(join(dir, 'none.png')), /expected a mask, got nothing there/);
    });
  });
});

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
const flipped = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 4;
  return copy;
};
const noise = () =>
  sharp(Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i * 31) % 251)), {
    raw: { width: 64, height: 64, channels: 3 },
  });
