// Counts how often the garbage collector looks through the whole heap while JavaScript fills memory of the engine.
import { constants, PerformanceObserver } from 'node:perf_hooks';
import '../../src/engine/tfjs.js';
import { tensor1d } from '@tensorflow/tfjs-core';
import { engineMemory } from '../../src/engine/engine-memory.js';
import { runningBackend, startOnednn } from './onednn.js';

const COUNT = 2 ** 21;
const turn = () => new Promise((done) => setImmediate(done));
const isMajor = (entry: unknown) =>
  (entry as { detail: { kind: number } }).detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;

async function collections(work: () => Promise<void>): Promise<number> {
  const seen: unknown[] = [];
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries().filter(isMajor)));
  observer.observe({ entryTypes: ['gc'] });
  await work();
  await turn();
  observer.disconnect();
  return seen.length;
}

await startOnednn('f32');
const { addon } = runningBackend();

/** 400 arrays of 8 MiB, of which 24 are there at a time, all of them taken over. */
const takenOver = await collections(async () => {
  const ahead = Array.from({ length: 24 }, () => engineMemory(Float32Array, COUNT)!);
  for (let i = 0; i < 400; i++) {
    tensor1d(ahead.shift()!).dispose();
    ahead.push(engineMemory(Float32Array, COUNT)!);
    await turn();
  }
  for (const array of ahead) tensor1d(array).dispose();
});

/** 200 of them that nobody takes. */
let most = 0;
const dropped = await collections(async () => {
  for (let i = 0; i < 200; i++) {
    engineMemory(Float32Array, COUNT);
    await turn();
    addon.drain();
    most = Math.max(most, addon.memory().bytesInUse);
  }
});
process.stdout.write(JSON.stringify({ takenOver, dropped, most }));
