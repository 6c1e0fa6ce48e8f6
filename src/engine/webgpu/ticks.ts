// Dawn's binding for Node advances its work in a callback that it hands to the global `setImmediate`, looked up at each
// call. A blocking read has to run that callback itself, so this module keeps hold of it.

let tick: (() => void) | undefined;

/** Makes a call of Dawn so that `runTick` can do what it schedules; otherwise the event loop does, as usual. */
export function scheduled<T>(call: () => T): T {
  const { setImmediate } = globalThis;
  const keep = (callback: () => void) => {
    tick = callback;
    return setImmediate(runTick);
  };
  Object.assign(globalThis, { setImmediate: keep });
  try {
    return call();
  } finally {
    Object.assign(globalThis, { setImmediate });
  }
}

/** Advances Dawn's work once; false if none is scheduled. */
export function runTick(): boolean {
  const run = tick;
  if (!run) return false;
  tick = undefined;
  scheduled(run);
  return true;
}
