import { from, Observable, type ObservableInput, type Subscriber } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import { noteLoad } from '../src/data/load-notes.js';
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
    const pending = new Prefetch(plans[Symbol.iterator](), load, ahead, subscriber);
    subscriber.add(() => pending.stop());
    pending.advance();
  });
}

/** One load: after it has settled, how to deliver it, and how to free it if it is no longer wanted. */
interface Load {
  failed?: boolean;
  deliver?: () => void;
  discard?: () => void;
}

/** The loads of one subscriber. */
class Prefetch<P, T extends Disposable> {
  /** Loads that are pending or settled but not delivered, oldest first. */
  readonly #queue: Load[] = [];
  #alive = 0;
  #lent = 0;
  #exhausted = false;
  #advancing = false;
  /** Since when nothing is lent. */
  #idle = performance.now();

  constructor(
    private readonly plans: Iterator<P>,
    private readonly load: (plan: P) => ObservableInput<T>,
    private readonly ahead: number,
    private readonly subscriber: Subscriber<Lease<T>>,
  ) {}

  /** Delivers in order what is ready, and starts loads while there is room; a loop, so synchronous loads grow no stack. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    while (!this.subscriber.closed) {
      const first = this.#queue[0];
      if (first?.deliver && (!first.failed || this.#lent === 0)) {
        this.#queue.shift();
        first.deliver();
      } else if (!this.#exhausted && this.#alive <= this.ahead) this.#pull();
      else break;
    }
    this.#advancing = false;
    if (this.#exhausted && this.#queue.length === 0) this.subscriber.complete();
  }

  /** Frees what has loaded and was not delivered, and pulls no more plans. */
  stop(): void {
    for (const { discard } of this.#queue.splice(0)) discard?.();
    this.#stopPulling();
  }

  #pull(): void {
    try {
      const next = this.plans.next();
      if (next.done) this.#exhausted = true;
      else this.#start(from(this.load(next.value)));
    } catch (error) {
      this.#queue.push(this.#failure(error));
      this.#stopPulling();
    }
  }

  #stopPulling(): void {
    if (!this.#exhausted) this.plans.return?.();
    this.#exhausted = true;
  }

  #start(source: Observable<T>): void {
    const entry: Load = {};
    const settle = (outcome: Load) => {
      if (this.subscriber.closed) outcome.discard?.();
      else Object.assign(entry, outcome);
      this.advance();
    };
    let value: T | undefined;
    const started = performance.now();
    this.#alive++;
    this.#queue.push(entry);
    source.subscribe({
      next: (loaded) => {
        value?.dispose();
        value = loaded;
      },
      error: (error: unknown) => {
        value?.dispose();
        settle(this.#failure(error));
      },
      complete: () => {
        const last = value;
        const seconds = (performance.now() - started) / 1000;
        if (last) settle({ deliver: () => this.#lend(last, seconds), discard: () => last.dispose() });
        else settle(this.#failure(new Error('a load completed without a value')));
      },
    });
  }

  #failure(error: unknown): Load {
    return { failed: true, deliver: () => this.subscriber.error(error) };
  }

  #lend(value: T, loadSeconds: number): void {
    const waitSeconds = this.#lent > 0 ? 0 : (performance.now() - this.#idle) / 1000;
    const ready = 1 + this.#queue.filter(({ deliver, failed }) => deliver && !failed).length;
    noteLoad(value, { waitSeconds, loadSeconds, ready });
    this.#lent++;
    const onEnd = () => {
      if (--this.#lent === 0) this.#idle = performance.now();
      this.#alive--;
      this.advance();
    };
    this.subscriber.next(new Lease(value, onEnd));
  }
}
