/**
 * Uniform numbers around `mean` with a standard deviation, from a xorshift generator (Marsaglia 2003): a model of 86
 * million weights is filled in less than a second.
 */
export function noise(count: number, deviation: number, seed: number, mean = 0): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  const scale = (deviation * Math.sqrt(12)) / 2 ** 32;
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = mean + state * scale;
  }
  return values;
}
