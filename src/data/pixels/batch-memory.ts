/** The most arrays that wait to be used again. */
const MOST = 8;

const waiting: (Float32Array | Int32Array)[] = [];

/**
 * Memory for the floats or whole numbers of a batch: that of an earlier batch, or new. What it holds is of no account.
 *
 * New memory of several megabytes a batch costs more than filling it: the system clears it, and the garbage collector runs
 * for it.
 */
export function takeMemory<A extends Float32Array | Int32Array>(
  type: new (length: number) => A,
  length: number,
): A {
  const at = waiting.findIndex((array) => array instanceof type && array.length === length);
  return at < 0 ? new type(length) : (waiting.splice(at, 1)[0] as A);
}

/** Gives memory back that nothing refers to any more. */
export function giveMemory(array: Float32Array | Int32Array): void {
  waiting.push(array);
  if (waiting.length > MOST) waiting.shift();
}
