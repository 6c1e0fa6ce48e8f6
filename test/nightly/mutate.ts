import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { type Random, randomStream } from '../../src/random/random-stream.js';

/** How often each reader is tried, and what the mutations are drawn from. */
const TRIES = Number(process.env.MILLRACE_FUZZ ?? 20_000);
const SEED = Number(process.env.MILLRACE_FUZZ_SEED ?? 1);

/** What a reader may take on one input, in milliseconds and bytes. */
const SLOWEST = 2000;
const LARGEST = 2 ** 30;

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff];

/** How a reader fared on mutated inputs; `slowest` is in milliseconds of the process's own time. */
export interface Fared {
  read: number;
  refused: number;
  slowest: number;
}

/**
 * Reads mutated inputs, and asserts that a reader that refuses one does so by a UserError of one line, within two seconds of
 * the process's own time and a GiB. Prints how it fared.
 */
export async function readMutated(
  name: string,
  wholes: readonly Buffer[],
  read: (bytes: Buffer) => Promise<unknown>,
  mend: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<Fared> {
  return tryMutated(name, async (random) => {
    const bytes = mutated(wholes[Math.floor(random() * wholes.length)]!, random);
    await read(random() < 0.5 ? mend(bytes) : bytes);
  });
}

/** The same for what more than one file makes up: `tryOne` draws what it changes, and reads it. */
export async function tryMutated(name: string, tryOne: (random: Random) => Promise<unknown>): Promise<Fared> {
  const fared = { read: 0, refused: 0, slowest: 0 };
  for (let index = 0; index < TRIES; index++) {
    const before = process.cpuUsage();
    try {
      await tryOne(randomStream(SEED, 'fuzz', name, index));
      fared.read++;
    } catch (error) {
      assert.ok(error instanceof Error, `${name} ${index}: ${String(error)}`);
      assert.equal(error.name, 'UserError', `${name} ${index}: ${error.stack}`);
      assert.ok(!error.message.includes('\n'), `${name} ${index}: ${error.message}`);
      fared.refused++;
    }
    const { user, system } = process.cpuUsage(before);
    fared.slowest = Math.max(fared.slowest, (user + system) / 1000);
    assert.ok(fared.slowest < SLOWEST, `${name} ${index}: ${fared.slowest} ms`);
    const { rss } = process.memoryUsage();
    assert.ok(rss < LARGEST, `${name} ${index}: ${rss} bytes`);
  }
  console.log(
    `      ${name}: ${fared.read} read, ${fared.refused} refused, the slowest in ${fared.slowest.toFixed(0)} ms`,
  );
  return fared;
}

/** One to three changes: bits, numbers that mean something, pieces cut out, doubled or moved, an end cut off. */
export function mutated(whole: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(whole);
  const at = (most: number) => Math.floor(random() * Math.max(1, most));
  for (let changes = 1 + at(3); changes > 0 && bytes.length > 4; changes--) {
    // Half of the changes hit the beginning, where headers are.
    const place = random() < 0.5 ? at(Math.min(bytes.length, 64)) : at(bytes.length);
    const length = Math.min(bytes.length - place, 1 + at(32));
    const piece = bytes.subarray(place, place + length);
    const kind = at(7);
    if (kind === 0) bytes[place]! ^= 1 << at(8);
    else if (kind === 1) bytes[place] = at(256);
    else if (kind === 2 && place + 4 <= bytes.length) {
      const number = NUMBERS[at(NUMBERS.length)]!;
      if (random() < 0.5) bytes.writeUInt32BE(number, place);
      else bytes.writeUInt32LE(number, place);
    } else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + length)]);
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)]);
    else if (kind === 5) Buffer.from(piece).copy(bytes, at(bytes.length - length));
    else if (random() < 0.3) bytes = bytes.subarray(0, place + 1);
  }
  return Buffer.from(bytes);
}

// biome-ignore format: one kind a line
const HOSTILE: readonly unknown[] = [
  0, 1, -1, 3, 1.5, 1e308, 99_999_999_999, 2 ** 53, -0,
  null, true, false, '', 'NaN', '4', 'constructor', 'x'.repeat(5000),
  [], [4, 4], [4, 8], [[]], {}, { length: 4 },
];

/** An object of JSON, and the same with each of its fields, and some that it lacks, at a value that cannot be meant. */
export function hostile(json: Readonly<Record<string, unknown>>, others: readonly string[]): Buffer[] {
  const texts = [json];
  for (const name of [...Object.keys(json), ...others])
    for (const value of HOSTILE) texts.push({ ...json, [name]: value });
  return texts.map((text) => Buffer.from(JSON.stringify(text)));
}

/** A text of JSON in which one value, at any depth, is one that cannot be meant, or is gone. */
export function withHostileValue(json: string, random: Random): string {
  const places: [holder: Record<string, unknown>, name: string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const name of Object.keys(node)) {
      places.push([node as Record<string, unknown>, name]);
      visit((node as Record<string, unknown>)[name]);
    }
  };
  const whole: unknown = JSON.parse(json);
  visit(whole);
  const [holder, name] = places[Math.floor(random() * places.length)]!;
  const kind = Math.floor(random() * (HOSTILE.length + 1));
  if (kind === HOSTILE.length) delete holder[name];
  else holder[name] = HOSTILE[kind];
  return JSON.stringify(whole, null, 2);
}

/** Makes the checksums of a PNG's chunks right again, so that what lies behind them is reached. */
export function mendPng(bytes: Buffer): Buffer {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end - 4)), end - 4);
    at = end;
  }
  return bytes;
}

/** Makes the checksums of a tar's headers right again, wherever a block looks like one. */
export function mendTar(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.write(' '.repeat(8), at + 148);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  }
  return bytes;
}
