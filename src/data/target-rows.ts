import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '../base/tfjs-core.js';
import { withClassRange } from './class-range.js';

/** The targets of one sample: a mask [height, width], a label [], or shares of labels [classes]. */
export interface TargetRow {
  readonly shape: readonly number[];
  /** Default int32. */
  readonly dtype?: 'int32' | 'float32';
}

/** How many bytes the targets of one sample take: class ids of pixels one each, all other numbers four. */
export function targetBytes({ shape, dtype = 'int32' }: TargetRow): number {
  const size = shape.reduce((a, b) => a * b, 1);
  return size * (dtype === 'int32' && shape.length > 1 ? 1 : 4);
}

/** The targets of a batch as bytes, sample by sample. */
export async function targetRows(row: TargetRow, targets: Tensor): Promise<Uint8Array[]> {
  const bytes = targetBytes(row);
  const values = (await targets.data()) as Float32Array | Int32Array;
  const all =
    bytes < row.shape.reduce((a, b) => a * b, 4)
      ? new Uint8Array(values)
      : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Array.from({ length: targets.shape[0]! }, (_, i) => all.subarray(i * bytes, (i + 1) * bytes));
}

/** The targets of a batch from the bytes of its samples. */
export function targetTensor<T extends Tensor>(row: TargetRow, rows: readonly Uint8Array[]): T {
  const { shape, dtype = 'int32' } = row;
  const bytes = targetBytes(row);
  const all = new Uint8Array(rows.length * bytes);
  rows.forEach((each, i) => {
    all.set(each, i * bytes);
  });
  const size = shape.reduce((a, b) => a * b, rows.length);
  const values =
    all.length === size
      ? new Int32Array(all)
      : new (dtype === 'int32' ? Int32Array : Float32Array)(all.buffer, 0, size);
  const make = () => tensor(values, [rows.length, ...shape], dtype) as T;
  return all.length === size ? withClassRange(all, make) : make();
}
