import { defer, finalize, Observable, of } from 'rxjs';

/** Anything that holds tensors and can free them. */
export interface Disposable {
  /** Frees the tensors; called once. */
  dispose(): void;
}

/**
 * A value on loan: it is freed when the work on it ends.
 *
 * A lease ends exactly once: when the work given to `using` completes, fails or is unsubscribed, or when `end` is
 * called on a lease that nobody wants. Ending frees the value and lets `prefetch` load the next one.
 */
export class Lease<T extends Disposable> {
  #live = true;

  constructor(
    private readonly value: T,
    private readonly onEnd: () => void,
    private readonly free = () => value.dispose(),
  ) {}

  /**
   * Runs `work` on the value, and ends the lease when that ends. Cold: nothing happens before it is subscribed,
   * and it can be subscribed once.
   *
   * @example
   * lease.using((batch$) => batch$.pipe(trainStep(run)));
   */
  using<R>(work: (value$: Observable<T>) => Observable<R>): Observable<R> {
    return defer(() => {
      if (!this.#live) throw new Error('this lease has ended: its value is freed');
      // In a stream of its own: `work` may throw before it has made one.
      return defer(() => work(of(this.value))).pipe(finalize(() => this.end()));
    });
  }

  /**
   * Divides this lease into several of the same value; this one ends when the last of them ends.
   *
   * @throws Error when this lease has ended.
   */
  split(count: number): Lease<T>[] {
    if (!this.#live) throw new Error('this lease has ended: its value is freed');
    let open = count;
    const onPartEnd = () => {
      if (--open === 0) this.end();
    };
    return Array.from({ length: count }, () => new Lease(this.value, onPartEnd, () => {}));
  }

  /** Frees the value unused. Ending twice does nothing. */
  end(): void {
    if (!this.#live) return;
    this.#live = false;
    try {
      this.free();
    } finally {
      this.onEnd();
    }
  }
}
