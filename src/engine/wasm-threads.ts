import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import type * as tfjsWasm from '@tensorflow/tfjs-backend-wasm';
import { packageRoot } from '../base/package.js';
import { backend, env, ready, setBackend } from '../base/tfjs-core.js';

/** Required and not imported, as tfjs-core is. */
export const { getThreadsCount, setThreadsCount } = createRequire(import.meta.url)(
  '@tensorflow/tfjs-backend-wasm',
) as typeof tfjsWasm;

const WORKER = join(packageRoot, 'src', 'engine', 'wasm-thread.cjs');

/**
 * Starts the wasm backend with threads, which tfjs-backend-wasm 4.22 supports only in browsers.
 *
 * Three things stand in its way in Node, and are put right while it starts: a flag that is off; a worker script that it
 * makes an object URL of, where Node's `Worker` wants a path; and a limit of half of the processor's logical cores.
 * The workers do not keep the process alive. The count cannot change once the backend runs.
 */
export async function startWasmThreads(threads: number): Promise<void> {
  const { cpus } = os;
  const { createObjectURL } = URL;
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
  setThreadsCount(threads);
  os.cpus = () => Array.from({ length: 2 * threads }, () => cpus()[0]!);
  URL.createObjectURL = () => WORKER;
  try {
    await setBackend('wasm');
    await ready();
  } finally {
    os.cpus = cpus;
    URL.createObjectURL = createObjectURL;
  }
  const { wasm } = backend() as unknown as {
    readonly wasm: tfjsWasm.BackendWasm['wasm'] & { PThread?: Pool };
  };
  for (const worker of [...(wasm.PThread?.runningWorkers ?? []), ...(wasm.PThread?.unusedWorkers ?? [])])
    worker.unref();
}

/** Emscripten's own. */
interface Pool {
  readonly runningWorkers: readonly { unref(): void }[];
  readonly unusedWorkers: readonly { unref(): void }[];
}
