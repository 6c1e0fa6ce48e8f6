import type { Canvas } from './fill-polygon.js';

/**
 * The lengths of the runs in COCO's compressed text: each is a difference to the run before last, in groups of five bits, the
 * lowest first, written as characters from `0` on; a sixth bit says that more follow.
 *
 * @throws Error for other characters, a text that breaks off, and numbers beyond 32 bits.
 */
export function runLengths(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, bits, more] = [0, 0, true];
    while (more) {
      const code = text.charCodeAt(at++) - 48;
      if (!(code >= 0 && code < 64)) throw new Error('its run lengths are damaged');
      if (bits > 30) throw new Error('its run lengths are too large');
      value += (code & 31) * 2 ** bits;
      bits += 5;
      more = (code & 32) !== 0;
      if (!more && (code & 16) !== 0) value -= 2 ** bits;
    }
    runs.push(value + (runs.length > 2 ? runs.at(-2)! : 0));
  }
  return runs;
}

/**
 * Covers runs of pixels, column by column: the first run is not covered, the second is, and so on.
 *
 * @throws Error for runs that are none, or of other than all pixels in sum.
 */
export function fillRuns({ columns }: Canvas, runs: readonly number[]): void {
  let at = 0;
  for (const [i, run] of runs.entries()) {
    if (!Number.isInteger(run) || run < 0 || at + run > columns.length)
      throw new Error(`its run lengths are not those of ${columns.length} pixels`);
    if (i % 2 === 1) columns.fill(1, at, at + run);
    at += run;
  }
  if (at !== columns.length)
    throw new Error(`its run lengths are those of ${at} pixels, not ${columns.length}`);
}
