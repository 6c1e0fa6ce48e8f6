import type { DataType } from '@tensorflow/tfjs-core';

/** Values in the typed array of their type; bool tensors are bytes. */
export function numbersOf(
  values: ArrayLike<number>,
  dtype: DataType,
): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === 'bool') return values instanceof Uint8Array ? values : Uint8Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
