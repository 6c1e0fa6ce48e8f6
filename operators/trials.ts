import { Observable } from 'rxjs';
import { UserError } from '../src/errors.js';
import type { Study } from '../src/study/study.js';
import type { Trial } from '../src/study/trial.js';

export interface TrialsOptions {
  /** How many trials run at the same time in this process, 1 by default; give `mergeMap` the same number. */
  readonly concurrency?: number;
  /** Seconds after which no further trial begins. */
  readonly timeout?: number;
  /**
   * Stop when the study, over all its processes, has so many COMPLETE and PRUNED trials. Those that run elsewhere
   * then go on, so that the study may end with as many more as there are other workers.
   */
  readonly total?: number;
}

/**
 * Asks a study for up to `n` trials, the next one when one of those out has ended.
 *
 * A trial ends when it is told: by `report` when its stream completes, fails or is unsubscribed, by `prune`, or by
 * `study.tell`. One that is never told holds its place for ever. `study.stop()` and the timeout let those that are
 * out finish; unsubscribing ends them, too, through the operator that subscribed to them.
 *
 * @example
 * trials(study, 20, { concurrency: 2 }).pipe(
 *   mergeMap((trial) => run(trial).pipe(report(trial, 'softDice'), prune(trial)), 2),
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
  return new Observable((subscriber) => {
    study.restart();
    const end = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1000;
    let left = n;
    const worker = async () => {
      while (left > 0 && !subscriber.closed && !study.stopped && Date.now() < end) {
        left--;
        if (total !== Number.POSITIVE_INFINITY) {
          const done = await study.trials(['COMPLETE', 'PRUNED']);
          if (done.length >= total) return;
        }
        const trial = await study.ask();
        if (subscriber.closed) {
          await study.tell(trial, null, { state: 'FAIL', reason: 'unsubscribed before it began' });
          return;
        }
        subscriber.next(trial);
        await trial.ended;
      }
    };
    Promise.all(Array.from({ length: Math.min(concurrency, n) }, worker)).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
  });
}
