import {
  defer,
  Observable,
  type OperatorFunction,
  Subject,
  type Subscriber,
  type Subscription,
  takeUntil,
} from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Disposable, Lease } from './lease.js';

/** The pipeline of one trial from `concatLease` on, as it would be alone. */
export type LeaseWork<T extends Disposable, R> = (leases$: Observable<Lease<T>>) => Observable<R>;

/**
 * Several trainings on one stream of batches: each batch is loaded once and lent to all of them, and freed when the
 * last one's work on it ends. Emits the events of all, in the order in which they come.
 *
 * Each training works through its leases as it would alone, with its own validation, reports and end. Nobody runs
 * ahead of the slowest by more than the batches that `prefetch` keeps alive. One that ends, is pruned or fails lets go
 * of its leases and leaves the others running; the first failure is passed on when all have ended. A failure of the
 * batches is everybody's. Unsubscribing ends all.
 *
 * Batches are pulled once every training has subscribed to its leases (or ended), which it can do once, and no longer
 * than one of them takes any. They share plans, so that batch size, order and augmentation are the same for all; give
 * their validations a common cache to decode that once, too.
 *
 * @throws UserError when there is no training.
 * @example
 * const work = (trial: Trial, run: Run) => (leases$: Observable<Lease<Batch>>) =>
 *   leases$.pipe(
 *     concatLease((batch$) => batch$.pipe(trainStep(run))),
 *     report(trial, 'softDice'),
 *     prune(trial),
 *   );
 * prefetch(plans, load, { ahead: 2 }).pipe(lockstep([work(trial, run)]));
 */
export function lockstep<T extends Disposable, R>(
  works: readonly LeaseWork<T, R>[],
): OperatorFunction<Lease<T>, R> {
  if (works.length === 0) throw new UserError('lockstep: expected at least one training, got none');
  return (leases$) =>
    new Observable((subscriber) => {
      const lockstep = new Lockstep(leases$, works.length, subscriber);
      for (const work of works) subscriber.add(lockstep.run(work));
    });
}

/** The trainings of one subscriber. */
class Lockstep<T extends Disposable, R> {
  /** Where the leases of each training go; one that has ended is not among them. */
  readonly #takers = new Set<Subscriber<Lease<T>>>();
  readonly #deserted$ = new Subject<void>();
  /** Trainings that have neither subscribed to their leases nor ended. */
  #awaited: number;
  #running: number;
  #started = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly leases$: Observable<Lease<T>>,
    count: number,
    private readonly subscriber: Subscriber<R>,
  ) {
    this.#awaited = count;
    this.#running = count;
  }

  run(work: LeaseWork<T, R>): Subscription {
    let awaited = true;
    const arrive = () => {
      if (awaited) this.#awaited--;
      awaited = false;
    };
    const share$ = new Observable<Lease<T>>((taker) => {
      if (!awaited) throw new Error('lockstep: a training takes its leases once');
      arrive();
      this.#takers.add(taker);
      taker.add(() => {
        this.#takers.delete(taker);
        this.#settle();
      });
      this.#settle();
    });
    const end = () => {
      arrive();
      this.#settle();
      this.#end();
    };
    return defer(() => work(share$)).subscribe({
      next: (event) => this.subscriber.next(event),
      error: (error: unknown) => {
        this.#failure ??= { error };
        end();
      },
      complete: end,
    });
  }

  /** Starts the batches once every training has arrived, and stops them once none takes any. */
  #settle(): void {
    if (this.#awaited > 0) return;
    if (this.#takers.size === 0) this.#deserted$.next();
    else if (!this.#started && !this.subscriber.closed) {
      this.#started = true;
      this.subscriber.add(this.#start());
    }
  }

  #start(): Subscription {
    return this.leases$.pipe(takeUntil(this.#deserted$)).subscribe({
      next: (lease) => this.#lend(lease),
      error: (error: unknown) => [...this.#takers].forEach((taker) => taker.error(error)),
      complete: () => [...this.#takers].forEach((taker) => taker.complete()),
    });
  }

  #lend(lease: Lease<T>): void {
    const takers = [...this.#takers].filter(({ closed }) => !closed);
    if (takers.length === 0) lease.end();
    else
      lease.split(takers.length).forEach((part, i) => {
        const taker = takers[i]!;
        // Work on an earlier part may have ended this taker.
        if (taker.closed) part.end();
        else taker.next(part);
      });
  }

  #end(): void {
    if (--this.#running > 0) return;
    if (this.#failure) this.subscriber.error(this.#failure.error);
    else this.subscriber.complete();
  }
}
