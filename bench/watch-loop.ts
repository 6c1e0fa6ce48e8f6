import { readFileSync } from 'node:fs';

/** Between two looks, in ms; a loop that nothing holds is that late. */
const RESOLUTION = 1;

/** How long something held the event loop at most, in ms. */
export interface LoopHeld {
  /** Between two turns of a timer, beyond its time: also where the system or its host lets the thread wait or sleep. */
  readonly ms: number;
  /** That its thread computed between two turns: its own work, collections of garbage included. Linux alone says it. */
  readonly workMs?: number;
}

/** Watches the event loop, from now until the function that it returns is called. */
export function watchLoop(): () => LoopHeld {
  let [ms, workMs] = [0, 0];
  let [at, computed] = [performance.now(), computedMs()];
  let timer: NodeJS.Timeout;
  const look = () => {
    const since = computedMs();
    ms = Math.max(ms, performance.now() - at - RESOLUTION);
    workMs = Math.max(workMs, (since ?? 0) - (computed ?? 0));
    [at, computed] = [performance.now(), since];
    timer = setTimeout(look, RESOLUTION);
  };
  timer = setTimeout(look, RESOLUTION);
  return () => {
    clearTimeout(timer);
    return computed === undefined ? { ms } : { ms, workMs };
  };
}

/** For how many ms of its life this process's first thread, which is the event loop's, has had a core. */
function computedMs(): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}
