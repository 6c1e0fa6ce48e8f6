import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../base/start-thread.js';
import type { BatchShare, SharePixels } from './render-twin.js';

/** The most threads. */
const MOST = 4;

interface Waiting {
  readonly thread: Worker;
  readonly resolve: (pixels: SharePixels) => void;
  readonly reject: (error: unknown) => void;
}

const threads: Worker[] = [];
const waiting = new Map<number, Waiting>();
let next = 0;

/** How many threads render batches where the addon is not there. */
export const twinThreads: number = Math.min(MOST, availableParallelism());

/** Renders drafts on a thread of its own, by turns. Threads start when they are first needed, and end with the process. */
export function renderOnThread(share: BatchShare): Promise<SharePixels> {
  const id = next++;
  const place = id % twinThreads;
  const thread = threads[place] ?? begun(place);
  return new Promise((resolve, reject) => {
    waiting.set(id, { thread, resolve, reject });
    thread.ref();
    thread.postMessage({ id, share });
  });
}

function begun(place: number): Worker {
  const thread = startThread('twin-thread', import.meta.url, undefined);
  threads[place] = thread;
  thread.on('message', ({ id, ...pixels }: SharePixels & { readonly id: number }) => {
    waiting.get(id)?.resolve(pixels);
    waiting.delete(id);
    if (![...waiting.values()].some((entry) => entry.thread === thread)) thread.unref();
  });
  thread.on('error', (error) => {
    delete threads[place];
    for (const [id, entry] of waiting)
      if (entry.thread === thread) {
        waiting.delete(id);
        entry.reject(error);
      }
  });
  return thread;
}
