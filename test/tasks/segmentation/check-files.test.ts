import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { checkPairs } from '../../../src/tasks/segmentation/check-files.js';
import { png } from '../../data/images/png-writer.js';

describe('checkPairs', () => {
  let dir: string;
  let pair: { stem: string; image: string; mask: string };
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    pair = { stem: 'a', image: join(dir, 'a.jpg'), mask: join(dir, 'a.png') };
    const size = { width: 8, height: 4 };
    const create = { ...size, channels: 3, background: '#08f' } as const;
    await sharp({ create }).jpeg().withMetadata({ orientation: 6 }).toFile(pair.image);
    writeFileSync(pair.mask, png({ width: 4, height: 8, depth: 8, colour: 0 }, Array(32).fill(1)));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const refuses = (message: RegExp) => assert.rejects(checkPairs([pair]), { name: 'UserError', message });

  it('accepts whole files of one size, after EXIF orientation, and trailing bytes', async () => {
    writeFileSync(pair.image, Buffer.concat([readFileSync(pair.image), Buffer.from('a note')]));
    await checkPairs(Array(20).fill(pair));
  });

  it('refuses what is missing, empty, cut short, something else, or of another size', async () => {
    const whole = readFileSync(pair.image);
    for (const [bytes, message] of [
      [whole.subarray(0, -2), /a\.jpg: expected an image, got one that is cut short; replace it/],
      ['', /a\.jpg: expected an image, got 0 bytes/],
      ['no picture', /a\.jpg: expected an image, got a file that cannot be decoded/],
    ] as const) {
      writeFileSync(pair.image, bytes);
      await refuses(message);
    }
    writeFileSync(pair.image, whole);
    writeFileSync(pair.mask, png({ width: 8, height: 4, depth: 8, colour: 0 }, Array(32).fill(1)));
    await refuses(/a\.png: expected the size of .*a\.jpg, 4×8, got 8×4/);
    rmSync(pair.mask);
    await refuses(/a\.png: expected a mask, got nothing there/);
  });
});
