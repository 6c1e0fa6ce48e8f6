import { readVarInt } from 'hyparquet/src/thrift.js';

/** The most miniblocks of a block of deltas: writers use 4. */
const MOST_MINIBLOCKS = 4096;

/**
 * Refuses run lengths of more values than a page has: their reader believes the lengths, and would fill memory.
 *
 * A run is a varint and its values: with a last bit of 0 one value of `width` bits in whole bytes that is repeated, with 1
 * packed groups of eight values, of which the last ones may count for nothing.
 */
export function checkRuns(view: DataView, start: number, width: number, values: number): void {
  const reader = { view, offset: start };
  for (let seen = 0; seen < values; ) {
    const header = readVarInt(reader) >>> 0;
    const packed = (header & 1) === 1;
    const count = packed ? (header >>> 1) * 8 : header >>> 1;
    const bytes = packed ? (header >>> 1) * width : Math.ceil(width / 8);
    const most = packed && width > 0 ? Number.POSITIVE_INFINITY : values - seen + 7;
    if (count > most || bytes > view.byteLength)
      throw new Error('run lengths of more values than their page has');
    seen += count;
    reader.offset += bytes;
  }
}

/** Refuses blocks of deltas that would fill memory. */
export function checkDeltas(view: DataView, start: number): void {
  const reader = { view, offset: start };
  const block = readVarInt(reader);
  const miniblocks = readVarInt(reader);
  if (block < 1 || miniblocks < 1 || miniblocks > MOST_MINIBLOCKS || block % miniblocks !== 0)
    throw new Error(`deltas in blocks of ${block} in ${miniblocks} parts`);
}
