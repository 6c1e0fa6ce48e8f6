import { parentPort } from 'node:worker_threads';
import { type BatchShare, renderShare } from './render-twin.js';

// A thread that renders batches where the addon is not there: see twin-threads.ts.
parentPort?.on('message', ({ id, share }: { readonly id: number; readonly share: BatchShare }) => {
  const pixels = renderShare(share);
  const { images, masks } = pixels;
  const transfer = [images.buffer, ...(masks ? [masks.buffer] : [])] as ArrayBuffer[];
  parentPort?.postMessage({ id, ...pixels }, transfer);
});
