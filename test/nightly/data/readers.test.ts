import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { diskCache } from '../../../src/data/images/disk-cache.js';
import { readImage, readMask } from '../../../src/data/images/image-file.js';
import { readChannels } from '../../../src/data/images/read-channels.js';
import { tarFiles, tarGzFiles } from '../../../src/files/tar.js';
import { loadSample } from '../../../src/tasks/segmentation/load-sample.js';
import { findPairs } from '../../../src/tasks/segmentation/pairs.js';
import { png } from '../../data/images/png-writer.js';
import { stack, tiff } from '../../data/images/tiff-writer.js';
import { tar } from '../../files/tar-writer.js';
import { mendPng, mendTar, readMutated } from '../mutate.js';

const SIDE = 24;
const samples = (channels: number, most: number) =>
  Array.from({ length: SIDE * SIDE * channels }, (_, i) => (i * i * 7 + (i >> 3)) % (most + 1));
const size = { width: SIDE, height: SIDE } as const;

describe('readers of files from outside, on mutated inputs', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  const file = (bytes: Buffer, name = 'input') => {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return path;
  };

  const masks = () => [
    ...([1, 2, 4, 8, 16] as const).map((depth) =>
      png({ ...size, depth, colour: 0 }, samples(1, 2 ** depth - 1)),
    ),
    ...([1, 8] as const).map((depth) => png({ ...size, depth, colour: 3 }, samples(1, 2 ** depth - 1))),
    png({ ...size, depth: 8, colour: 4 }, samples(2, 255)),
    png({ ...size, depth: 8, colour: 6 }, samples(4, 255)),
    png({ ...size, depth: 8, colour: 0, interlaced: true }, samples(1, 255)),
  ];
  const drawn = () => sharp(Buffer.from(samples(3, 255)), { raw: { ...size, channels: 3 } });
  const images = async () => [
    await drawn().png({ progressive: true }).toBuffer(),
    await drawn().png({ palette: true }).toBuffer(),
    await drawn().withMetadata({ orientation: 6 }).png().toBuffer(),
    await drawn().jpeg().toBuffer(),
    await drawn().toColourspace('cmyk').jpeg().toBuffer(),
    await drawn().gif().toBuffer(),
    await drawn().webp().toBuffer(),
    await drawn().tiff({ compression: 'lzw' }).toBuffer(),
    tiff({ ...size, bits: 16, samples: samples(3, 65535) }),
    tiff({ ...size, bits: 1, samples: samples(1, 1) }),
  ];

  it('masks in PNG', async () => {
    await readMutated('masks', masks(), (bytes) => readMask(file(bytes)), mendPng);
  });

  it('masks in other formats', async () => {
    await readMutated('other masks', await images(), (bytes) => readMask(file(bytes)), mendPng);
  });

  it('images', async () => {
    await readMutated('images', await images(), (bytes) => readImage(file(bytes)), mendPng);
  });

  it('pictures of many channels', async () => {
    const values = Uint16Array.from(samples(4, 65_535));
    const page = { width: SIDE, height: SIDE, bands: 4, values };
    const half = { ...page, bands: 2, values: values.subarray(0, values.length / 2) };
    const wholes = [stack([page]), stack([{ ...page, planar: true }]), stack([half, half])];
    await readMutated('channels', wholes, (bytes) => readChannels(file(bytes), { channels: 4 }));
  });

  const archive = (long?: 'pax' | 'gnu') =>
    tar({ 'images/a.jpg': 'first', 'b.txt': 'x'.repeat(1500), 'empty/none': '' }, long ? { long } : {});
  const drain = async (files: AsyncIterable<unknown>) => {
    for await (const _ of files);
  };

  it('tar archives', async () => {
    async function* whole(bytes: Buffer) {
      yield bytes;
    }
    const archives = [archive(), archive('pax'), archive('gnu')];
    await readMutated('tar', archives, (bytes) => drain(tarFiles(whole(bytes), 'a.tar')), mendTar);
  });

  it('packed tar archives', async () => {
    const archives = [archive(), archive('pax')].map((bytes) => gzipSync(bytes));
    await readMutated('tar.gz', archives, (bytes) => drain(tarGzFiles(file(bytes))));
  });

  it('the disk cache', async () => {
    const folder = join(dir, 'cache');
    const pair = {
      stem: 'a',
      image: file(await drawn().png().toBuffer(), 'a.jpg'),
      mask: file(
        png(
          { ...size, depth: 8, colour: 0 },
          samples(1, 2).map((id) => id + 1),
        ),
        'a.png',
      ),
    };
    const load = () =>
      loadSample({ item: pair, seed: 1, epoch: 1, index: 0 }, 8, { cache: diskCache(folder) });
    const { image } = await load();
    const entry = join(folder, readdirSync(folder)[0]!);
    const read = async (bytes: Buffer) => {
      writeFileSync(entry, bytes);
      const again = await load();
      if (!Buffer.from(again.image).equals(Buffer.from(image))) throw new Error('other pixels');
    };
    await readMutated('cache', [readFileSync(entry)], read);
  });

  it('lists', async () => {
    for (const [folder, ending] of [
      ['images', 'jpg'],
      ['masks', 'png'],
    ] as const) {
      mkdirSync(join(dir, folder));
      for (const stem of ['a', 'my cat', 'no#1']) file(Buffer.alloc(0), `${folder}/${stem}.${ending}`);
    }
    const lists = ['a\nmy cat\nno#1\n', '# all\r\nimages/a.jpg masks/a.png\r\n', 'a.jpg 1 2 3\n'].map(
      (text) => Buffer.from(text),
    );
    const read = (bytes: Buffer) =>
      findPairs(join(dir, 'images'), join(dir, 'masks'), { lists: [file(bytes, 'list.txt')] });
    await readMutated('lists', lists, read);
  });
});
