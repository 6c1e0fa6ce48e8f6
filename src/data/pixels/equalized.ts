/** Spreads the values of each channel over all bytes, in place: Pillow's `ImageOps.autocontrast`. */
export function autoContrasted(image: Uint8Array): void {
  byChannel(image, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return undefined;
    const scale = 255 / (high - low);
    return (value) => Math.min(255, Math.max(0, Math.trunc(value * scale - low * scale)));
  });
}

/** Makes all values of each channel equally frequent, in place: Pillow's `ImageOps.equalize`. */
export function equalized(image: Uint8Array): void {
  byChannel(image, (counts) => {
    const last = counts.findLast((count) => count > 0) ?? 0;
    const step = Math.floor((counts.reduce((a, b) => a + b, 0) - last) / 255);
    if (step === 0) return undefined;
    let below = Math.floor(step / 2);
    const table = counts.map((count) => {
      const value = Math.min(255, Math.floor(below / step));
      below += count;
      return value;
    });
    return (value) => table[value]!;
  });
}

/** Maps each channel's values by a function of how often each of them occurs; undefined leaves them. */
function byChannel(
  image: Uint8Array,
  mapOf: (counts: readonly number[]) => ((value: number) => number) | undefined,
): void {
  for (let channel = 0; channel < 3; channel++) {
    const counts = Array<number>(256).fill(0);
    for (let i = channel; i < image.length; i += 3) counts[image[i]!]!++;
    const map = mapOf(counts);
    if (!map) continue;
    const table = Uint8Array.from({ length: 256 }, (_, value) => map(value));
    for (let i = channel; i < image.length; i += 3) image[i] = table[image[i]!]!;
  }
}
