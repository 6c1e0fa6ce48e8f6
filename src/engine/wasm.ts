import { registerFallbacks } from './fallback.js';
import { replaceProduct } from './wasm-product.js';
import { getThreadsCount, startWasmThreads } from './wasm-threads.js';

/**
 * Registers the tfjs backend `wasm` with a faster matrix product; see `replaceProduct`.
 *
 * With `threads` above 1 the backend is started with them, and its products alone are divided among them. Returns how
 * many there are; the first call decides.
 */
export async function registerWasm(threads = 1): Promise<number> {
  replaceProduct();
  registerFallbacks('wasm');
  if (running === undefined && threads > 1) {
    await startWasmThreads(threads);
    running = getThreadsCount();
  }
  running ??= 1;
  return running;
}

let running: number | undefined;
