import { getBackend } from '../base/tfjs-core.js';

/** The backends that copy a tensor's values when it is made; others keep the array, or read it later. */
const COPYING: ReadonlySet<string> = new Set(['onednn', 'wasm', 'torch']);

/** Whether an array may be written to again once a tensor was made of it. */
export function copiesOnWrite(): boolean {
  return COPYING.has(getBackend());
}
