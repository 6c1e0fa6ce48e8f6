/** By channel the floats that bytes become: (byte / 255 − mean) / std. */
export function normalTables({
  mean,
  std,
}: {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}): Float32Array {
  return Float32Array.from({ length: 256 * mean.length }, (_, i) => {
    const channel = i >> 8;
    return ((i & 255) / 255 - mean[channel]!) / std[channel]!;
  });
}

/** RGB bytes as floats, into `floats`, which may be a part of a batch. */
export function normalized(
  image: Uint8Array,
  tables: Float32Array,
  floats: Float32Array = new Float32Array(image.length),
): Float32Array {
  for (let i = 0; i < image.length; i += 3) {
    floats[i] = tables[image[i]!]!;
    floats[i + 1] = tables[256 + image[i + 1]!]!;
    floats[i + 2] = tables[512 + image[i + 2]!]!;
  }
  return floats;
}
