import { concatMap, defer, finalize, type Observable, type OperatorFunction, tap } from 'rxjs';
import type { Disposable, Lease } from './lease.js';

/**
 * Works on leases strictly one after another: `concatMap` for leases.
 *
 * The next batch's work starts when this one's has completed, its validation and its checkpoint included, and
 * the batch is freed in between. Leases that were delivered but never worked on are ended with the stream.
 *
 * @example
 * prefetch(plans, load, { ahead: 2 }).pipe(
 *   concatLease((batch$) => batch$.pipe(trainStep(run), checkpoint(run))),
 * );
 */
export function concatLease<T extends Disposable, R>(
  work: (value$: Observable<T>) => Observable<R>,
): OperatorFunction<Lease<T>, R> {
  return (leases$) =>
    defer(() => {
      const waiting = new Set<Lease<T>>();
      return leases$.pipe(
        tap((lease) => waiting.add(lease)),
        concatMap((lease) => {
          waiting.delete(lease);
          return lease.using(work);
        }),
        finalize(() => {
          for (const lease of waiting) lease.end();
        }),
      );
    });
}
