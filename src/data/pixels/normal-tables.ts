import type { Values } from './values.js';

/** How many values a byte has, and a value of 16 bits. */
const LEVELS = { 8: 256, 16: 65_536 } as const;

/**
 * By channel the floats that values become: (value / most − mean) / std, where the most is 255, or 65,535 of 16 bits.
 *
 * Tables of 16 bits are large and shared: worker threads read them without a copy.
 */
export function normalTables(
  {
    mean,
    std,
  }: {
    readonly mean: readonly number[];
    readonly std: readonly number[];
  },
  bits: keyof typeof LEVELS = 8,
): Float32Array {
  const levels = LEVELS[bits];
  const length = levels * mean.length;
  const tables = bits === 8 ? new Float32Array(length) : new Float32Array(new SharedArrayBuffer(4 * length));
  for (let i = 0; i < length; i++) {
    const channel = Math.floor(i / levels);
    tables[i] = ((i % levels) / (levels - 1) - mean[channel]!) / std[channel]!;
  }
  return tables;
}

/** Values as floats, into `floats`, which may be a part of a batch. */
export function normalized(
  image: Values,
  tables: Float32Array,
  floats: Float32Array = new Float32Array(image.length),
): Float32Array {
  const levels = image instanceof Uint8Array ? LEVELS[8] : LEVELS[16];
  const channels = tables.length / levels;
  for (let i = 0; i < image.length; i += channels)
    for (let c = 0; c < channels; c++) floats[i + c] = tables[c * levels + image[i + c]!]!;
  return floats;
}
