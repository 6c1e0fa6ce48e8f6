import { catchError, defer, Observable, type OperatorFunction } from 'rxjs';
import type { Trial } from '../src/study/trial.js';
import { reasonOf } from '../src/study/trials/fail-reason.js';

/**
 * A stream of trials that marks as FAIL every trial without a result when anything piped from it fails: a trial that
 * was handed out when the project function of `mergeMap` threw has no stream of its own to report it. The error goes
 * on when they are stored.
 *
 * @param make the stream; it keeps in `out` the trials that it has handed out and that have not ended
 */
export function failUntold<T>(make: (out: Set<Trial>) => Observable<T>): Observable<T> {
  const stream$ = defer(() => {
    const out = new Set<Trial>();
    const failed = (error: unknown) =>
      defer(async () => {
        // Those with streams of their own have been told by now, since these were unsubscribed.
        const untold = [...out].filter(({ told }) => !told);
        await Promise.all(untold.map((trial) => fail(trial, error)));
        throw error;
      });
    return make(out).pipe(catchError(failed));
  });
  const pipe = (...operators: OperatorFunction<unknown, unknown>[]): Observable<unknown> =>
    failUntold((out) => operators.reduce((piped$: Observable<unknown>, each) => each(piped$), make(out)));
  return Object.assign(stream$, { pipe: pipe as Observable<T>['pipe'] });
}

async function fail(trial: Trial, error: unknown): Promise<void> {
  try {
    await trial.study.tell(trial, null, { state: 'FAIL', reason: reasonOf(error) });
  } catch (also) {
    trial.study.warn('trial', reasonOf(also));
  }
}
