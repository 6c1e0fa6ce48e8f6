import { readFileSync } from 'node:fs';

/** Between two looks, in ms; a loop that nothing holds is that late. */
const RESOLUTION = 1;

/** How long something held the event loop at most, in ms. */
export interface LoopHeld {
  /** Between two turns of a timer, beyond its time. */
  readonly ms: number;
  /**
   * Without the time in which the thread was ready and had no core, as on two cores that also run threads which decode:
   * what is left is work on the loop, and what a collection of garbage waits for. Linux alone says it.
   */
  readonly runningMs?: number;
}

/** Watches the event loop, from now until the function that it returns is called. */
export function watchLoop(): () => LoopHeld {
  let [ms, runningMs] = [0, 0];
  let [at, waited] = [performance.now(), waitedForCore()];
  let timer: NodeJS.Timeout;
  const look = () => {
    const late = performance.now() - at - RESOLUTION;
    const since = waitedForCore();
    ms = Math.max(ms, late);
    runningMs = Math.max(runningMs, late - ((since ?? 0) - (waited ?? 0)));
    [at, waited] = [performance.now(), since];
    timer = setTimeout(look, RESOLUTION);
  };
  timer = setTimeout(look, RESOLUTION);
  return () => {
    clearTimeout(timer);
    return waited === undefined ? { ms } : { ms, runningMs };
  };
}

/** For how many ms of its life this process's first thread, which is the event loop's, was ready to run and had no core. */
function waitedForCore(): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return undefined;
  }
}
