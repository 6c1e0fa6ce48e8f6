import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../../../src/base/errors.js';
import { decodeNatively } from '../../../src/data/images/decode-natively.js';
import { readImage } from '../../../src/data/images/image-file.js';
import { MOST_PIXELS } from '../../../src/data/images/open-picture.js';
import { pngSamples } from '../../../src/data/images/png-samples.js';
import { imagesAddon } from '../../../src/data/pixels/addon.js';
import { png } from '../../data/images/png-writer.js';
import { mendPng, readMutated } from '../mutate.js';

const size = { width: 24, height: 20 } as const;
const samples = (channels: number, most: number) =>
  Array.from({ length: 24 * 20 * channels }, (_, i) => (i * i * 7 + (i >> 3)) % (most + 1));

describe('native readers on mutated inputs', () => {
  before(function () {
    if (imagesAddon()) return;
    console.log('      skipped: native/build/images.node is not here (npm run build:images)');
    this.skip();
  });

  it('read a PNG mask as JavaScript does, or leave it', async () => {
    const masks = [
      ...([1, 2, 4, 8, 16] as const).map((depth) => ({ depth, colour: 0 as const })),
      ...([1, 2, 4, 8] as const).map((depth) => ({ depth, colour: 3 as const })),
    ].map(({ depth, colour }) => png({ ...size, depth, colour }, samples(1, 2 ** depth - 1)));
    const read = async (bytes: Buffer) => {
      const ids = await imagesAddon()!.readIds({ bytes, mostPixels: MOST_PIXELS });
      let expected: Uint8Array | Uint16Array;
      try {
        expected = pngSamples(bytes, MOST_PIXELS).data;
      } catch (error) {
        assert.equal(ids, undefined, `JavaScript refuses it: ${String(error)}`);
        throw new UserError('refused by both');
      }
      if (ids) assert.deepEqual(ids.data, expected);
    };
    await readMutated('native masks', masks, read, mendPng);
  });

  it('read a JPEG as sharp does, or leave it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
    const path = join(dir, 'input.jpg');
    const drawn = () => sharp(Buffer.from(samples(3, 255)), { raw: { ...size, channels: 3 } });
    const images = [
      await drawn().jpeg().toBuffer(),
      await drawn().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
      await drawn().greyscale().jpeg().toBuffer(),
      await drawn().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      await drawn().withMetadata({ orientation: 1 }).jpeg({ quality: 30 }).toBuffer(),
    ];
    const read = async (bytes: Buffer) => {
      writeFileSync(path, bytes);
      const own = { kind: 'bytes', bytes, name: 'input' } as const;
      const native = await decodeNatively({ image: path, size, mode: 'exact' });
      const pixels = await readImage(own);
      // The size of the picture itself: nothing is resized.
      if (native && pixels.width === size.width && pixels.height === size.height)
        assert.ok(Buffer.compare(native[0]!, pixels.data) === 0, 'other bytes than sharp');
      await decodeNatively({
        image: bytes.length > 0 ? own : path,
        size: { width: 5, height: 3 },
        mode: 'fast',
      });
    };
    await readMutated('native JPEGs', images, read);
    rmSync(dir, { recursive: true });
  });
});
