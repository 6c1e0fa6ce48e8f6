import { setImmediate as turn } from 'node:timers/promises';
import { Observable } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Study } from '../src/study/study.js';
import type { Trial } from '../src/study/trial.js';
import { failUntold } from './fail-untold.js';

/** Options of `trialGroups`. */
export interface TrialGroupsOptions {
  /** Seconds after which no further group begins. */
  readonly timeout?: number;
}

/**
 * Asks a study for up to `n` trials in groups of `size`, for `lockstep`: the next group when all of this one have
 * ended. The last group may be smaller. What ends a trial, and the loop, is as for `trials`.
 *
 * The sampler proposes a whole group before it learns what any of it reached; the pruner compares them as they go.
 *
 * @example
 * const work = (trial: Trial) => (leases$: Observable<Lease<Batch>>) =>
 *   leases$.pipe(concatLease((batch$) => batch$.pipe(trainStep(run))), report(trial, 'softDice'));
 * trialGroups(study, 20, 4).pipe(
 *   concatMap((group) => prefetch(plans, load, { ahead: 2 }).pipe(lockstep(group.map(work)))),
 * );
 */
export function trialGroups(
  study: Study,
  n: number,
  size: number,
  { timeout }: TrialGroupsOptions = {},
): Observable<readonly Trial[]> {
  if (!Number.isInteger(size) || size < 1)
    throw new UserError(`size: expected an integer from 1 up, got ${size}`, { size });
  return failUntold((out) => groups(study, n, size, timeout, out));
}

function groups(
  study: Study,
  n: number,
  size: number,
  timeout: number | undefined,
  out: Set<Trial>,
): Observable<readonly Trial[]> {
  return new Observable((subscriber) => {
    const loop = study.begin();
    const end = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1000;
    const open = () => !subscriber.closed && !loop.stopped && Date.now() < end;
    const run = async () => {
      for (let remaining = n; remaining > 0 && open(); remaining -= size) {
        const group: Trial[] = [];
        try {
          while (group.length < Math.min(size, remaining) && open()) group.push(await study.ask());
        } catch (error) {
          await giveUp(study, group, 'another trial of its group could not be asked for');
          throw error;
        }
        if (subscriber.closed) return giveUp(study, group, 'unsubscribed before it began');
        for (const trial of group) out.add(trial);
        if (group.length > 0) subscriber.next(group);
        await Promise.all(group.map(({ ended }) => ended));
        out.clear();
        // Their last events, or an error, come to those who may want no more before the next begin.
        await turn();
      }
    };
    run().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
  });
}

async function giveUp(study: Study, group: readonly Trial[], reason: string): Promise<void> {
  for (const trial of group) await study.tell(trial, null, { state: 'FAIL', reason, retry: true });
}
