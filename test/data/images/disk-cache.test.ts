import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskCache } from '../../../src/data/images/disk-cache.js';
import { memoryCache } from '../../../src/data/images/memory-cache.js';

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const parts = (value: number) => [bytes(300, value), bytes(100, value + 1)];
const LENGTHS = [300, 100];

describe('the disk cache', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-disk-cache-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const fill = async (count: number) => {
    const cache = diskCache(dir);
    for (let i = 0; i < count; i++) assert.equal(await cache.set(`key ${i}`, parts(i)), true);
    return cache;
  };
  const file = (ending: string) => join(dir, readdirSync(dir).find((name) => name.endsWith(ending))!);
  /** Which of the keys are there, each with the right bytes. */
  const there = async (count: number, cache = diskCache(dir)) => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      const got = await cache.get(`key ${i}`, LENGTHS);
      if (!got) continue;
      assert.deepEqual(
        got.map((part) => Uint8Array.from(part)),
        parts(i),
      );
      found.push(i);
    }
    return found;
  };

  it('gives back what was put there, to this process and to the next one, from one file and its index', async () => {
    const cache = await fill(5);
    assert.deepEqual(await there(6, cache), [0, 1, 2, 3, 4]);
    assert.deepEqual(await there(6), [0, 1, 2, 3, 4]);
    assert.deepEqual(
      readdirSync(dir)
        .map((name) => name.replace(/^.*\./, ''))
        .toSorted(),
      ['index', 'samples'],
    );
    assert.equal(await diskCache(dir).get('key 1', [300, 99]), undefined);
  });

  it('adds what is missing to a file of its own, and nothing twice', async () => {
    await fill(3);
    await fill(4);
    assert.deepEqual(await there(4), [0, 1, 2, 3]);
    const sizes = readdirSync(dir).filter((name) => name.endsWith('.samples'));
    assert.deepEqual(sizes.map((name) => readFileSync(join(dir, name)).length).toSorted(), [1200, 400]);
  });

  it('decodes again what is damaged or cut short, wherever that is, and nothing else', async () => {
    await fill(4);
    const samples = readFileSync(file('.samples'));
    samples[450]! ^= 1;
    writeFileSync(file('.samples'), samples);
    assert.deepEqual(await there(4), [0, 2, 3]);
    truncateSync(file('.samples'), 1300);
    assert.deepEqual(await there(4), [0, 2]);
    const [path, index] = [file('.index'), readFileSync(file('.index'))];
    for (let length = index.length; length >= 0; length -= 7) {
      writeFileSync(path, index.subarray(0, length));
      const whole = [0, 2].filter((i) => length >= 16 + 52 * (i + 1));
      assert.deepEqual(await there(4), whole, `${length} bytes of the index`);
    }
  });

  it("removes files of another version with a line, and nobody else's", async () => {
    const dead = spawnSync(process.execPath, ['--version']).pid;
    const name = 'a'.repeat(64);
    const alive = `.${name}.sample.${process.pid}-1.unfinished`;
    for (const mine of ['mine.tmp', 'notes.txt', alive]) writeFileSync(join(dir, mine), 'x');
    for (const old of [
      `${name}.sample`,
      `.${name}.sample.${dead}-3.unfinished`,
      '1-ab.samples',
      '1-ab.index',
    ])
      writeFileSync(join(dir, old), 'half of a file of another version');
    const said: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = ((text: string) => said.push(text)) as never;
    try {
      assert.equal(await diskCache(dir).get('key', LENGTHS), undefined);
    } finally {
      process.stderr.write = write;
    }
    assert.deepEqual(said, [
      `${dir}: removed 2 cache files of another version; pictures are decoded again\n`,
    ]);
    assert.deepEqual(readdirSync(dir).toSorted(), [alive, 'mine.tmp', 'notes.txt'].toSorted());
  });

  it('keeps no more than its bound, and makes room by what was not used for a week', async () => {
    await fill(2);
    const cache = diskCache(dir, { maxBytes: 1000 });
    assert.equal(await cache.set('key 2', parts(2)), false);
    assert.deepEqual(await there(3), [0, 1]);
    const then = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(file('.samples'), then, then);
    assert.equal(await diskCache(dir, { maxBytes: 1000 }).set('key 2', parts(2)), true);
    assert.deepEqual(await there(3), [2]);
  });

  it('counts a use: what was read lately stays', async () => {
    await fill(2);
    const then = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(file('.samples'), then, then);
    assert.deepEqual(await there(2), [0, 1]);
    assert.equal(await diskCache(dir, { maxBytes: 1000 }).set('key 2', parts(2)), false);
  });

  it('passes over a segment whose index is being made, and a folder that cannot be written', async () => {
    appendFileSync(join(dir, '9-cd.samples'), 'x');
    assert.deepEqual(await there(1), []);
    assert.ok(existsSync(join(dir, '9-cd.samples')));
    writeFileSync(join(dir, 'file'), '');
    assert.equal(await diskCache(join(dir, 'file', 'below')).set('key 0', parts(0)), false);
  });
});

describe('the memory cache', () => {
  it('keeps copies in shared memory, no more than its bound', async () => {
    const cache = memoryCache({ maxBytes: 900 });
    const mine = parts(1);
    assert.equal(await cache.set('a', mine), true);
    mine[0]!.fill(9);
    assert.equal(await cache.set('b', parts(2)), true);
    assert.equal(await cache.set('c', parts(3)), false);
    const got = (await cache.get('a', LENGTHS))!;
    assert.deepEqual(
      got.map((part) => Uint8Array.from(part)),
      parts(1),
    );
    assert.ok(got.every(({ buffer }) => buffer instanceof SharedArrayBuffer));
    assert.equal(await cache.get('c', LENGTHS), undefined);
  });
});
