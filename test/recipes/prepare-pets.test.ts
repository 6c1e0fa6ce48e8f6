import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Answer,
  dropAfter,
  type FileServer,
  fallSilent,
  fileServer,
  well,
  wrongBytes,
} from '../files/file-server.js';
import { tar } from '../files/tar-writer.js';
import { run, type SharedProcess, sharedProcess, start } from './run.js';

const pictures = gzipSync(
  tar({ 'images/cat_1.jpg': 'jpeg', 'images/cat_1.mat': 'matlab', 'images/dog_2.jpg': 'jpeg' }),
);
const annotations = gzipSync(
  tar({
    'annotations/trimaps/cat_1.png': 'png',
    'annotations/trimaps/._cat_1.png': 'finder',
    'annotations/trimaps/dog_2.png': 'png',
    'annotations/xmls/cat_1.xml': 'box',
    'annotations/trainval.txt': 'cat_1 1 1 1\n',
    'annotations/test.txt': 'dog_2 2 2 1\n',
  }),
);
const sha = (body: Buffer) => `sha256:${createHash('sha256').update(body).digest('hex')}`;

describe('prepare-pets', () => {
  let dir: string;
  let server: FileServer | undefined;
  let shared: SharedProcess;
  before(() => {
    shared = sharedProcess();
  });
  after(() => shared.close());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(async () => {
    await server?.close();
    rmSync(dir, { recursive: true });
  });
  const args = async (answers: Answer[], images = pictures, expected = images) => {
    await server?.close();
    server = await fileServer({ 'images.tar.gz': images, 'annotations.tar.gz': annotations }, answers);
    const checksums = ['--images-checksum', sha(expected), '--annotations-checksum', sha(annotations)];
    return ['--url', server.url, ...checksums];
  };
  const layout = () => (readdirSync(join(dir, 'data/pets'), { recursive: true }) as string[]).toSorted();
  const whole = [
    'images',
    'images/cat_1.jpg',
    'images/dog_2.jpg',
    'manifest.json',
    'masks',
    'masks/cat_1.png',
    'masks/dog_2.png',
    'test.txt',
    'trainval.txt',
  ];

  it('downloads over dropped connections, unpacks what training needs, and cleans up', async () => {
    const { code, stdout } = await run(
      'prepare-pets',
      await args([dropAfter(100), dropAfter(20), well]),
      dir,
    );
    assert.deepEqual([code, stdout], [0, 'data/pets: 2 images, 2 masks\n']);
    assert.deepEqual(layout(), whole);
    assert.deepEqual(readdirSync(join(dir, 'data/archives')), []);
    assert.equal(readFileSync(join(dir, 'data/pets/trainval.txt'), 'utf8'), 'cat_1 1 1 1\n');
  });

  it('stops on ctrl-C, and resumes on the next run', async () => {
    const { process: child, ended } = start('prepare-pets', await args([fallSilent]), dir);
    await once(child.stderr!, 'data');
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
    assert(!existsSync(join(dir, 'data/pets')));
    const { code } = await shared.run('prepare-pets', await args([well]), dir);
    assert.equal(code, 0);
    assert.equal(server?.ranges[0], 'bytes=10-');
    assert.deepEqual(layout(), whole);
  });

  it('refuses an address that is not HTTP in one line, and makes no folder', async () => {
    for (const url of ['file:///etc/', 'ftp://127.0.0.1/', 'pets']) {
      const { code, stderr } = await shared.run('prepare-pets', ['--url', url], dir);
      assert.deepEqual([code, readdirSync(dir)], [1, []]);
      assert.match(stderr, /^prepare-pets: --url: expected .*, got ".*"\n$/);
    }
  });

  const evil = gzipSync(tar({ 'images/cat_1.jpg': 'jpeg', '../evil.jpg': 'evil' }));
  for (const [what, answer, images, expected, message] of [
    ['wrong bytes', wrongBytes, pictures, pictures, /annotations\.tar\.gz: expected sha256:/],
    ['another version', well, evil, pictures, /images\.tar\.gz: expected sha256:/],
    ['a path that leads out', well, evil, evil, /images\.tar\.gz: expected paths below .*"\.\.\/evil\.jpg"/],
    [
      'no archive',
      well,
      Buffer.from('<html>'),
      Buffer.from('<html>'),
      /images\.tar\.gz: expected a gzip archive/,
    ],
    ['no pictures', well, annotations, annotations, /expected pictures and trimaps, got 0 and 4/],
  ] as const)
    it(`refuses ${what} in one line, and unpacks nothing`, async () => {
      const { code, stderr } = await shared.run('prepare-pets', await args([answer], images, expected), dir);
      assert.equal(code, 1);
      const last = stderr.trimEnd().split('\n').at(-1)!;
      assert.match(last, /^prepare-pets: /);
      assert.match(last, message);
      assert.deepEqual(readdirSync(join(dir, 'data')), ['archives']);
      assert(!existsSync(join(dir, 'evil.jpg')) && !existsSync(join(dir, 'data/evil.jpg')));
    });
});
