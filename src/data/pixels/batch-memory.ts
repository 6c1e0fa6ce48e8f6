import { engineMemory } from '../../engine/engine-memory.js';

/** The most arrays that wait to be used again. */
const MOST = 8;

const waiting: (Float32Array | Int32Array)[] = [];

/**
 * Memory for the floats or whole numbers of a batch: that of an earlier batch, the engine's own, or new. What it holds is of
 * no account. A tensor copies nothing out of the engine's own, but takes it over, so that the event loop is not held.
 *
 * New memory of several megabytes a batch costs more than filling it: the system clears it, and the garbage collector runs
 * for it.
 */
export function takeMemory<A extends Float32Array | Int32Array>(
  type: new (length: number) => A,
  length: number,
): A {
  const at = waiting.findIndex((array) => array instanceof type && array.length === length);
  return at < 0 ? (engineMemory(type, length) ?? new type(length)) : (waiting.splice(at, 1)[0] as A);
}

/** Gives memory back that nothing refers to any more, unless a tensor took it over. */
export function giveMemory(array: Float32Array | Int32Array): void {
  if (array.length === 0) return;
  waiting.push(array);
  if (waiting.length > MOST) waiting.shift();
}
