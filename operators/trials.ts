import { setImmediate as turn } from 'node:timers/promises';
import { firstValueFrom, Observable, race, Subject, timer } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Study } from '../src/study/study.js';
import type { Trial } from '../src/study/trial.js';
import { failUntold } from './fail-untold.js';

/** Options of `trials`. */
export interface TrialsOptions {
  /**
   * The number of trials that run at the same time in this process, 1 by default; give `mergeMap` the same number.
   */
  readonly concurrency?: number;
  /** Seconds after which no further trial begins. */
  readonly timeout?: number;
  /**
   * Stop when the study, over all its processes, has this many COMPLETE and PRUNED trials; FAIL ones are replaced.
   * With heartbeats it then has not one more, and a process stays until then, to retry what a dead one leaves;
   * without, trials in other processes do not count, so that these may add theirs.
   */
  readonly total?: number;
}

/**
 * Asks a study for up to `n` trials, at most `concurrency` at a time: the next one when a running one has ended.
 *
 * A trial ends when it is told: by `report` when its stream completes, fails or is unsubscribed, by `prune`, or by
 * `study.tell`. One that is never told holds its place for ever. `study.stop()` and the timeout let those that are
 * out finish; unsubscribing ends them, too, through the operator that subscribed to them. When a function that works
 * on a trial throws, before there is a stream that could tell it, the trial is FAIL with that error.
 *
 * @example
 * trials(study, 20, { concurrency: 2 }).pipe(
 *   mergeMap((trial) => search(trial).pipe(report(trial, 'softDice'), prune(trial)), 2),
 * );
 */
export function trials(
  study: Study,
  n = Number.POSITIVE_INFINITY,
  { concurrency = 1, timeout, total = Number.POSITIVE_INFINITY }: TrialsOptions = {},
): Observable<Trial> {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new UserError(`concurrency: expected an integer from 1 up, got ${concurrency}`, { concurrency });
  }
  return failUntold((out) => search(study, n, { concurrency, timeout, total }, out));
}

function search(
  study: Study,
  n: number,
  { concurrency, timeout, total }: Required<Omit<TrialsOptions, 'timeout'>> & Pick<TrialsOptions, 'timeout'>,
  out: Set<Trial>,
): Observable<Trial> {
  return new Observable((subscriber) => {
    const loop = study.begin();
    const end = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1000;
    let remaining = n;
    const gone$ = new Subject<void>();
    subscriber.add(() => gone$.next());
    const open = () => !subscriber.closed && !loop.stopped && Date.now() < end;
    /**
     * The next trial, or null if there will be none; waits for trials that other processes may leave behind.
     */
    const ask = async (): Promise<Trial | null> => {
      if (total === Number.POSITIVE_INFINITY) return study.ask();
      while (open()) {
        const trial = await study.askWithin(total);
        const mayCome = study.cache.ended < total && (study.storage.heartbeat || out.size > 0);
        if (trial || !mayCome) return trial;
        const wait = Math.min(500 * (study.storage.heartbeat?.interval ?? 1), 5000);
        await firstValueFrom(race(timer(wait), gone$, ...[...out].map(({ ended }) => ended)));
        await turn();
      }
      return null;
    };
    const worker = async () => {
      while (remaining > 0 && open()) {
        remaining--;
        const trial = await ask();
        if (!trial) return;
        if (subscriber.closed) {
          await study.tell(trial, null, {
            state: 'FAIL',
            reason: 'unsubscribed before it began',
            retry: true,
          });
          return;
        }
        out.add(trial);
        subscriber.next(trial);
        await trial.ended;
        // Its last event, or its error, comes to those who may want no other before the next begins.
        await turn();
        out.delete(trial);
      }
    };
    Promise.all(Array.from({ length: Math.min(concurrency, n) }, worker)).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
  });
}
