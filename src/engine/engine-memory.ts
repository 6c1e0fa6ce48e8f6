import { backend } from '../base/tfjs-core.js';
import type { TensorAddon } from './addon/addon-backend.js';

/**
 * An array in the memory of the engine that is set, so that a tensor made of it copies nothing: the tensor takes the memory
 * over, and the array is then empty. Undefined where the engine has no such memory.
 *
 * Freed pages of the engine's pool are used again; what the numbers are at first is of no account.
 *
 * @throws Error where there is no memory left.
 */
export function engineMemory<A extends Float32Array | Int32Array>(
  type: new (length: number) => A,
  length: number,
): A | undefined {
  const { addon } = backend() as { readonly addon?: TensorAddon };
  if (length < 1) return undefined;
  const name = (type as unknown) === Int32Array ? 'int32' : 'float32';
  return addon?.allocate?.(name, length) as A | undefined;
}
