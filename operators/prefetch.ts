import { from, Observable, type ObservableInput } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import { type Disposable, Lease } from './lease.js';

/**
 * Loads a bounded number of values ahead of their use, and emits each under a lease, in order.
 *
 * At most `ahead + 1` values are alive at any moment, those being loaded and those in use included: the next load
 * starts when a lease *ends*. With `ahead` 0 loading and work alternate; with 1 the next value loads during the
 * work; more evens out loads of unequal length. Plans are pulled one by one, when there is room, and may be endless.
 *
 * A load's last value is what is lent. When a load fails, the work on the leases before it ends first; then comes the error.
 * Unsubscribing frees what waits here at once, and what is still loading on its arrival; a lease whose work has begun
 * is freed by that work. A lease that is passed over must be ended (`lease.end()`), or the stream waits for it.
 *
 * @example
 * prefetch(batchPlans(train, { batchSize: 8, seed }), load, { ahead: 2 }).pipe(
 *   concatLease((batch$) => batch$.pipe(trainStep(run))),
 * );
 */
export function prefetch<P, T extends Disposable>(
  plans: Iterable<P>,
  load: (plan: P) => ObservableInput<T>,
  { ahead }: { readonly ahead: number },
): Observable<Lease<T>> {
  if (!Number.isInteger(ahead) || ahead < 0)
    throw new UserError(`ahead: expected an integer from 0 up, got ${ahead}`, { ahead });

  return new Observable((subscriber) => {
    const iterator = plans[Symbol.iterator]();
    /** What is loading (not settled), loaded or failed, oldest first. */
    const queue: Load[] = [];
    let alive = 0;
    let lent = 0;
    let exhausted = false;
    let busy = false;

    /** Delivers what is ready in order and fills the room; a loop, so that synchronous loads grow no stack. */
    const advance = () => {
      if (busy) return;
      busy = true;
      while (!subscriber.closed) {
        const first = queue[0];
        if (first?.deliver && (!first.failed || lent === 0)) {
          queue.shift();
          first.deliver();
        } else if (!exhausted && alive <= ahead) pull();
        else break;
      }
      busy = false;
      if (exhausted && queue.length === 0) subscriber.complete();
    };
    const pull = () => {
      try {
        const next = iterator.next();
        if (next.done) exhausted = true;
        else start(from(load(next.value)));
      } catch (error) {
        queue.push({ failed: true, deliver: () => subscriber.error(error) });
        stopPulling();
      }
    };
    const stopPulling = () => {
      if (!exhausted) iterator.return?.();
      exhausted = true;
    };
    const start = (source: Observable<T>) => {
      const entry: Load = {};
      let value: T | undefined;
      const settle = (outcome: Load) => {
        if (subscriber.closed) outcome.discard?.();
        else Object.assign(entry, outcome);
        advance();
      };
      const fail = (error: unknown) => settle({ failed: true, deliver: () => subscriber.error(error) });
      alive++;
      queue.push(entry);
      source.subscribe({
        next: (loaded) => {
          value?.dispose();
          value = loaded;
        },
        error: (error: unknown) => {
          value?.dispose();
          fail(error);
        },
        complete: () => {
          const loaded = value;
          if (!loaded) fail(new Error('a load completed without a value'));
          else settle({ deliver: () => lend(loaded), discard: () => loaded.dispose() });
        },
      });
    };
    const lend = (value: T) => {
      lent++;
      subscriber.next(new Lease(value, ended));
    };
    const ended = () => {
      lent--;
      alive--;
      advance();
    };

    subscriber.add(() => {
      for (const { discard } of queue.splice(0)) discard?.();
      stopPulling();
    });
    advance();
  });
}

/** One load: once it has settled, how to deliver it, and how to free it if nobody waits for it any more. */
interface Load {
  failed?: boolean;
  deliver?: () => void;
  discard?: () => void;
}
