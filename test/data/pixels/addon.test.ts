import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ImagesAddon, imagesAddon } from '../../../src/data/pixels/addon.js';
import { applyEdits } from '../../../src/data/pixels/apply-edits.js';
import type { Edit } from '../../../src/data/pixels/edit.js';
import { encodeEdits } from '../../../src/data/pixels/encode-edits.js';
import { type DataMove, isAffine } from '../../../src/data/pixels/moved.js';
import { normalized, normalTables } from '../../../src/data/pixels/normal-tables.js';
import { resizeBilinear, resizeNearest } from '../../../src/data/pixels/resize.js';

/** Bytes without a pattern, and the same for the same seed. */
function noisy(length: number, seed: number): Uint8Array {
  let state = seed * 2654435761 + 12345;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const side = fc.integer({ min: 1, max: 90 });
const number = fc.double({ min: -1.6, max: 1.6, noNaN: true });
const TURN: DataMove = { kind: 'projective', matrix: [0, -1, 1, 1, 0, 0, 0.2, 0, 1] };
const move: fc.Arbitrary<DataMove> = fc.oneof(
  fc.tuple(number, number, number, number, number, number),
  fc
    .array(number, { minLength: 9, maxLength: 9 })
    .map((matrix): DataMove => ({ kind: 'projective', matrix })),
  fc.tuple(fc.integer({ min: 2, max: 6 }), fc.nat(1e6)).map(([grid, seed]): DataMove => {
    const shifts = (by: number) =>
      Float64Array.from(noisy((grid + 2) ** 2, seed + by), (byte) => (byte - 128) / 500);
    return { kind: 'surfaces', grid, across: shifts(0), down: shifts(1) };
  }),
  fc.integer({ min: 1, max: 6 }).map((cells): DataMove => {
    const ends = Array.from({ length: cells + 1 }, (_, i) => (i / cells) ** 1.3);
    return { kind: 'stretch', ends: [ends, ends.map((end) => end ** 2)] };
  }),
);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(number, number, number, number, number, number).map((map): Edit => ({ kind: 'warp', map })),
  fc.constantFrom<Edit>(
    { kind: 'warp', map: [-1, 0, 0, 0, 1, 0] },
    { kind: 'warp', map: [1, 0, 0, 0, -1, 0] },
    { kind: 'warp', map: [0, -1, 0, 1, 0, 0] },
    { kind: 'warp', map: [Number.NaN, 0, 0, 0, 1, 0] },
    { kind: 'grey' },
  ),
  fc
    .tuple(fc.array(number, { minLength: 9, maxLength: 9 }), number)
    .map(([matrix, lift]): Edit => ({ kind: 'map', matrix, lift })),
  fc.nat(1e6).map((seed): Edit => ({ kind: 'table', table: noisy(256, seed) })),
  fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 7 }).map((raw): Edit => {
    const sum = 2 * raw.reduce((a, b) => a + b) - raw[0]!;
    return { kind: 'blur', kernel: Float32Array.from(raw, (weight) => weight / sum) };
  }),
  fc
    .array(move, { minLength: 1, maxLength: 3 })
    .map((maps): Edit => ({ kind: 'moves', maps: maps.every(isAffine) ? [...maps, TURN] : maps })),
  fc
    .tuple(fc.constantFrom('contrast' as const, 'saturation', 'sharpness'), fc.constantFrom(0, 0.4, 1, 1.7))
    .map(([kind, factor]): Edit => ({ kind, factor })),
  fc
    .tuple(side, side, fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 }))
    .map(([width, height, left, top]): Edit => ({ kind: 'place', width, height, left, top })),
  fc.constantFrom<Edit>({ kind: 'autocontrast' }, { kind: 'equalize' }),
  fc
    .tuple(fc.double({ min: 1, max: 5, noNaN: true }), fc.integer({ min: 1, max: 12 }))
    .map(([clip, tiles]): Edit => ({ kind: 'clahe', clip, tiles })),
  fc
    .tuple(number, number, number)
    .map(([turn, saturation, value]): Edit => ({ kind: 'hsv', turn, saturation, value })),
  fc
    .tuple(fc.double({ min: 0, max: 40, noNaN: true }), fc.nat(2 ** 32 - 1))
    .map(([deviation, seed]): Edit => ({ kind: 'noise', deviation, seed })),
  fc.constant<Edit>({ kind: 'squares', value: 128, squares: [[0, 0, 1]] }),
);

describe('the images addon', () => {
  let addon: ImagesAddon;
  before(function () {
    const found = imagesAddon();
    if (!found) {
      console.log('      skipped: native/build/images.node is not here (npm run build:images)');
      this.skip();
    }
    addon = found;
  });

  it("resizes to JavaScript's bytes, whatever the sizes", async () => {
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        side,
        side,
        fc.nat(1e6),
        async (width, height, toWidth, toHeight, seed) => {
          const size = { width, height, toWidth, toHeight };
          const image = noisy(width * height * 3, seed);
          const [out, maskOut] = [new Uint8Array(3 * toWidth * toHeight), new Uint8Array(toWidth * toHeight)];
          await addon.resizeBilinear({ ...size, channels: 3, pixels: image, out });
          assert.deepEqual(out, resizeBilinear({ width, height, data: image }, toWidth, toHeight).data);
          const mask = noisy(width * height, seed);
          await addon.resizeNearest({ ...size, pixels: mask, out: maskOut });
          assert.deepEqual(maskOut, resizeNearest({ width, height, data: mask }, toWidth, toHeight));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('resizes each of any number of channels as if it were alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        side,
        fc.integer({ min: 1, max: 6 }),
        async (width, height, to, channels) => {
          const size = { width, height, toWidth: to, toHeight: to };
          const pixels = noisy(width * height * channels, width);
          const out = new Uint8Array(to * to * channels);
          await addon.resizeBilinear({ ...size, channels, pixels, out });
          for (let c = 0; c < channels; c++) {
            const data = Uint8Array.from(
              { length: 3 * width * height },
              (_, i) => pixels[Math.floor(i / 3) * channels + c]!,
            );
            const alone = resizeBilinear({ width, height, data }, to, to).data;
            for (let i = 0; i < to * to; i++) assert.equal(out[i * channels + c], alone[3 * i]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("edits and normalises to JavaScript's values, whatever the sizes and edits", async () => {
    const tables = normalTables({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        fc.array(edit, { maxLength: 4 }),
        fc.nat(1e6),
        async (width, height, edits, seed) => {
          const image = noisy(width * height * 3, seed);
          const mask = noisy(width * height, seed + 1);
          const expected = applyEdits({ width, height, image, mask }, edits);
          const samples = [{ image, mask, edits: encodeEdits(edits, width, height) }];
          const memory = { width, height, count: 2, first: 1, samples };
          const [out, maskOut] = [new Uint8Array(2 * image.length), new Uint8Array(2 * mask.length)];
          await addon.render({ ...memory, out, maskOut });
          assert.deepEqual(out.subarray(image.length), expected.image);
          assert.deepEqual(maskOut.subarray(mask.length), expected.mask);
          const [floats, ids] = [new Float32Array(out.length), new Int32Array(maskOut.length)];
          await addon.render({ ...memory, tables, out: floats, maskOut: ids });
          assert.deepEqual(floats.subarray(image.length), normalized(expected.image, tables));
          assert.deepEqual(Uint8Array.from(ids.subarray(mask.length)), expected.mask);
          const halves = Uint16Array.from(tables, (_, i) => i * 7);
          const bf16 = new Uint16Array(out.length);
          await addon.render({ ...memory, tables: halves, out: bf16, maskOut: ids });
          assert.ok(expected.image.every((byte, i) => bf16[image.length + i] === (256 * (i % 3) + byte) * 7));
          assert.ok(
            floats.subarray(0, image.length).every((value) => value === 0),
            'another place was written to',
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('reads samples from shared memory, and leaves them as they are', async () => {
    const image = new Uint8Array(new SharedArrayBuffer(12)).fill(9);
    const out = new Uint8Array(12);
    const edits = encodeEdits([{ kind: 'table', table: noisy(256, 1) }], 2, 2);
    await addon.render({ width: 2, height: 2, count: 1, first: 0, samples: [{ image, edits }], out });
    assert.deepEqual([...new Set(out)], [noisy(256, 1)[9]]);
    assert.ok(image.every((byte) => byte === 9));
  });

  it('refuses memory that does not fit, and edits that end too early', async () => {
    const [image, mask, edits] = [new Uint8Array(12), new Uint8Array(4), new Float64Array()];
    const kindOf = (edit: Edit) => encodeEdits([edit], 2, 2)[0]!;
    const hostile = (edit: Edit, numbers: readonly number[]) => ({
      samples: [{ image, mask, edits: Float64Array.of(kindOf(edit), ...numbers) }],
    });
    const render = (request: object) => async () =>
      addon.render({
        width: 2,
        height: 2,
        count: 1,
        first: 0,
        samples: [{ image, edits }],
        out: new Uint8Array(12),
        ...request,
      });
    for (const request of [
      { out: new Uint8Array(11) },
      { out: new Float32Array(12) },
      { out: new Float32Array(12), tables: new Float32Array(767) },
      { first: 1 },
      { first: -1 },
      { width: 0 },
      { width: 2 ** 20, height: 2 ** 20 },
      { width: 1.5 },
      { samples: [{ image: mask, edits }] },
      { samples: [{ image, edits }], maskOut: new Uint8Array(4) },
      { samples: [{ image, mask, edits }], maskOut: new Uint8Array(5) },
      { samples: 3 },
      { samples: [{ image, edits: Float64Array.of(0, 1) }] },
      { samples: [{ image, edits: Float64Array.of(99) }] },
      {
        samples: [
          { image, edits: Float64Array.of(kindOf({ kind: 'blur', kernel: new Float32Array(1) }), 1e9) },
        ],
      },
      hostile({ kind: 'squares', value: 0, squares: [] }, [1, 128, -1, 0]),
      ...[
        [0, 1, 0, 0],
        [1, NaN, 0, 0],
        [1, 1, 1e9, 0],
        [1e9, 1, 0, 0],
      ].map((numbers) => hostile({ kind: 'place', width: 1, height: 1, left: 0, top: 0 }, numbers)),
      ...[
        [1, 7],
        [1, 0, 1],
        [1, 2, 1, ...Array(18).fill(0)],
        [1, 3, 0],
        [2, 0, 1, 0, 0, 0, 1, 0],
      ].map((numbers) => hostile({ kind: 'moves', maps: [] }, numbers)),
      ...[
        [2, 0],
        [2, NaN],
        [2, 256],
      ].map((numbers) => hostile({ kind: 'clahe', clip: 1, tiles: 1 }, numbers)),
      ...[
        [1, -1],
        [1, NaN],
        [1, 2 ** 32],
      ].map((numbers) => hostile({ kind: 'noise', deviation: 1, seed: 1 }, numbers)),
    ])
      await assert.rejects(render(request), Error, JSON.stringify(request));
  });
});
