import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { UserError } from '../../src/base/errors.js';
import { readSafetensors } from '../../src/files/safetensors.js';
import { safetensorsBytes } from '../../src/files/safetensors-format.js';

const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));

/** The bytes of a file with this header, whatever it says. */
function file(header: unknown, data = 0, length?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([size, text, Buffer.alloc(data)]);
}

const entry = (from: number, to: number, shape: unknown = [(to - from) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

const LIES: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  'zero bytes': [Buffer.alloc(0), /got 0 bytes/],
  'seven bytes': [Buffer.alloc(7), /got 7 bytes/],
  'a header of 2^60': [file({}, 0, 2n ** 60n), /a header of 1152921504606846976 bytes/],
  'a header of 2^64 − 1': [file({}, 0, 2n ** 64n - 1n), /a header of 18446744073709551615 bytes/],
  'a header cut short': [file({ a: entry(0, 4) }, 4).subarray(0, 20), /a header of/],
  'another kind of file': [Buffer.from('PK\u0003\u0004 and what a zip holds'), /a header of/],
  'no JSON': [file('{"a": '), /not JSON/],
  'no UTF-8': [file(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1')).fill(0xff, 9, 10), /not JSON/],
  'a list': [file([]), /not an object/],
  'a number': [file('7'), /not an object/],
  'null in place of an entry': [file({ a: null }), /a of type undefined/],
  'an unknown type': [file({ a: entry(0, 4, [1], 'F31') }, 4), /a of type F31/],
  'the name of a method as type': [file({ a: entry(0, 4, [1], 'toString') }, 4), /a of type toString/],
  'no shape': [file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /a without a shape/],
  'a negative shape': [file({ a: entry(0, 4, [-1]) }, 4), /a without a shape/],
  'a fractional shape': [file({ a: entry(0, 4, [0.5, 2]) }, 4), /a without a shape/],
  'a huge shape': [file({ a: entry(0, 4, [2 ** 40, 2 ** 40]) }, 4), /in 4 bytes/],
  'one offset': [
    file({ a: { dtype: 'F32', shape: [1], data_offsets: [0] } }, 4),
    /without a shape and offsets/,
  ],
  'negative offsets': [file({ a: entry(-4, 0, [1]) }, 4), /without a shape and offsets/],
  'offsets in reverse': [file({ a: entry(4, 0, [1]) }, 4), /a at 4–0 of 4 bytes/],
  'offsets beyond the end': [file({ a: entry(0, 8) }, 4), /a at 0–8 of 4 bytes/],
  'too few bytes for the shape': [file({ a: entry(0, 4, [2]) }, 4), /a of shape \[2\] in 4 bytes/],
  'tensors that overlap': [file({ a: entry(0, 8), b: entry(4, 12) }, 12), /overlap at byte 4/],
  'two names for the same bytes': [file({ a: entry(0, 4), b: entry(0, 4) }, 4), /overlap at byte 0/],
  'a hole': [file({ a: entry(0, 4), b: entry(8, 12) }, 12), /leave a gap at byte 8/],
  'a hole at the start': [file({ a: entry(4, 8) }, 8), /leave a gap at byte 4/],
  'bytes after the last tensor': [file({ a: entry(0, 4) }, 8), /4 bytes that belong to no tensor/],
  'a name twice': [
    file(`{"a":${JSON.stringify(entry(0, 4))},"\\u0061":${JSON.stringify(entry(0, 4))}}`, 4),
    /two entries named a/,
  ],
};

describe('safetensors', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'millrace-'));
  });
  after(() => rm(dir, { recursive: true }));

  it("reads every type as Python's own package wrote it", async () => {
    // Made by golden/make_safetensors.py.
    const expected = JSON.parse(readFileSync(golden('types.json'), 'utf8')) as Record<
      string,
      { shape: number[]; data: string[] }
    >;
    const { tensors, metadata } = await readSafetensors(golden('types.safetensors'));
    assert.deepEqual(metadata, { format: 'pt' });
    assert.deepEqual([...tensors.keys()].toSorted(), Object.keys(expected).toSorted());
    for (const [name, { shape, data }] of Object.entries(expected)) {
      assert.deepEqual(tensors.get(name)!.shape, shape, name);
      const values = data.map((text) => Math.fround(Number(text.replace('inf', 'Infinity'))));
      const integer = tensors.get(name)!.data instanceof Int32Array;
      const exact = data.map((text) => Number({ True: 1, False: 0 }[text] ?? text));
      assert.deepEqual([...tensors.get(name)!.data], integer ? exact : values, name);
    }
  });

  it('reads back the bits that it wrote', async () => {
    const path = join(dir, 'round.safetensors');
    const bits = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 9 });
    const names = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((name) => name !== '__metadata__' && name !== '__proto__');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, bits), async (record) => {
        const given = new Map(
          Object.entries(record).map(([name, values], i) => {
            const raw = Int32Array.from(values);
            const data = i % 2 ? raw : new Float32Array(raw.buffer);
            return [name, { shape: [values.length], data }];
          }),
        );
        await writeFile(path, safetensorsBytes(given, { note: 'ä"{' }));
        const { tensors, metadata } = await readSafetensors(path);
        assert.deepEqual(metadata, { note: 'ä"{' });
        assert.equal(tensors.size, given.size);
        for (const [name, { data }] of given)
          assert.deepEqual(Buffer.from(tensors.get(name)!.data.buffer), Buffer.from(data.buffer), name);
      }),
      { numRuns: 40 },
    );
  });

  for (const [what, [bytes, message]] of Object.entries(LIES))
    it(`refuses ${what}`, async () => {
      const path = join(dir, 'lie.safetensors');
      await writeFile(path, bytes);
      await assert.rejects(readSafetensors(path), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.ok(
          error.message.startsWith(`${path}: expected a whole safetensors file, got `),
          error.message,
        );
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    });

  it('refuses a file that is cut anywhere', async () => {
    const path = join(dir, 'cut.safetensors');
    const whole = readFileSync(golden('types.safetensors'));
    for (let length = 0; length < whole.length; length += 7) {
      await writeFile(path, whole.subarray(0, length));
      await assert.rejects(readSafetensors(path), UserError, `${length} bytes`);
    }
  });

  it('reads a file beyond 2 GiB', async () => {
    const path = join(dir, 'large.safetensors');
    const size = 2 ** 32;
    // A hole takes no disk; only the header is read before the four bytes too many are found.
    const header = file({ a: entry(0, size) });
    await writeFile(path, header);
    await truncate(path, header.length + size + 4);
    await assert.rejects(
      readSafetensors(path),
      /large\.safetensors: .* got 4 bytes that belong to no tensor/,
    );
    await rm(path);
  });

  it('refuses a folder and a missing file', async () => {
    await assert.rejects(readSafetensors(dir), /got a folder; fetch or write it again/);
    await assert.rejects(readSafetensors(join(dir, 'none')), /got nothing there/);
  });
});
