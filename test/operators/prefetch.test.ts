import assert from 'node:assert/strict';
import fc from 'fast-check';
import { catchError, EMPTY, map, mergeMap, NEVER, of, Subscription, take, throwError, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { concatLease } from '../../operators/concat-lease.js';
import { prefetch } from '../../operators/prefetch.js';

/** Values that count how many of them are alive, and that refuse to be freed twice. */
function ledger() {
  const book = { alive: 0, most: 0, freed: 0, made: 0 };
  const make = (id: number) => {
    book.made++;
    book.most = Math.max(book.most, ++book.alive);
    let live = true;
    return {
      id,
      dispose() {
        assert.ok(live, `value ${id} was freed twice`);
        live = false;
        book.alive--;
        book.freed++;
      },
    };
  };
  return { book, make };
}

function marbles(test: Parameters<TestScheduler['run']>[0]): void {
  new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(test);
}

describe('prefetch and concatLease', () => {
  it('loads the next value while this one is in use, and no further', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const { make } = ledger();
      const loads = ['--(a|)', '--(b|)', '--(c|)'].map((diagram) => cold(diagram));
      const result = prefetch([0, 1, 2], (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 1 }).pipe(
        concatLease((value$) => value$.pipe(mergeMap(({ id }) => timer(5).pipe(map(() => String(id)))))),
      );
      //                                 loads 0 and 1 at once; 2 starts when 0 ends
      expectObservable(result).toBe('-------0----1----(2|)');
      expectSubscriptions(loads[0]!.subscriptions).toBe('^-!');
      expectSubscriptions(loads[1]!.subscriptions).toBe('^-!');
      expectSubscriptions(loads[2]!.subscriptions).toBe('-------^-!');
    });
  });

  it('alternates loading and work with ahead 0', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const { make } = ledger();
      const loads = [cold('--(a|)'), cold('--(b|)')];
      const result = prefetch([0, 1], (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 0 }).pipe(
        concatLease((value$) => value$.pipe(mergeMap(({ id }) => timer(3).pipe(map(() => String(id)))))),
      );
      expectObservable(result).toBe('-----0----(1|)');
      expectSubscriptions(loads[1]!.subscriptions).toBe('-----^-!');
    });
  });

  it('keeps the order when a later load is faster', () => {
    marbles(({ cold, expectObservable }) => {
      const { make } = ledger();
      const loads = [cold('-----(a|)'), cold('-(b|)')];
      const result = prefetch([0, 1], (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 3 }).pipe(
        concatLease((value$) => value$.pipe(map(({ id }) => String(id)))),
      );
      expectObservable(result).toBe('-----(01|)');
    });
  });

  it('lets the work before a failed load end, then fails', () => {
    marbles(({ cold, expectObservable }) => {
      const { make } = ledger();
      const result = prefetch([0, 1], (i) => (i ? cold('-#') : cold('-(a|)')).pipe(map(() => make(i))), {
        ahead: 1,
      }).pipe(concatLease((value$) => value$.pipe(mergeMap(() => timer(6).pipe(map(() => 'a'))))));
      expectObservable(result).toBe('-------(a#)');
    });
  });

  it('frees what waits at once and what is loading on its arrival', async () => {
    const { book, make } = ledger();
    const arrivals: (() => void)[] = [];
    const load = (i: number) =>
      i === 0
        ? of(make(0))
        : new Promise<ReturnType<typeof make>>((resolve) => arrivals.push(() => resolve(make(i))));
    const subscription = prefetch([0, 1, 2], load, { ahead: 2 })
      .pipe(concatLease(() => NEVER))
      .subscribe();
    assert.equal(book.alive, 1);
    subscription.unsubscribe();
    assert.equal(book.alive, 0);
    for (const arrive of arrivals) arrive();
    await new Promise(setImmediate);
    assert.deepEqual([book.made, book.freed], [3, 3]);
  });

  it('starts no load and pulls no plan once it is left, and closes the plans', () => {
    marbles(({ cold, expectSubscriptions, flush }) => {
      const { book, make } = ledger();
      let pulled = 0;
      let closed = false;
      function* plans() {
        try {
          for (;;) yield pulled++;
        } finally {
          closed = true;
        }
      }
      const loads = [cold('-(a|)'), cold('----(b|)'), cold('--(c|)')];
      const subscription = prefetch(plans(), (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 1 })
        .pipe(concatLease(() => NEVER))
        .subscribe();
      timer(2).subscribe(() => subscription.unsubscribe());
      expectSubscriptions(loads[1]!.subscriptions).toBe('^---!'); // not cut short: its value is freed on arrival
      expectSubscriptions(loads[2]!.subscriptions).toBe([]);
      flush();
      assert.deepEqual([pulled, closed], [2, true]);
      assert.deepEqual([book.made, book.freed], [2, 2]);
    });
  });

  it('pulls plans only when there is room, from an endless source', () => {
    let pulled = 0;
    const { make } = ledger();
    function* endless() {
      for (;;) yield pulled++;
    }
    const seen: number[] = [];
    prefetch(endless(), (i) => of(make(i)), { ahead: 2 })
      .pipe(
        concatLease((value$) => value$.pipe(map(({ id }) => id))),
        take(50_000),
      )
      .subscribe((id) => seen.push(id));
    assert.equal(seen.length, 50_000);
    assert.ok(pulled <= 50_003, `${pulled} plans were pulled`);
  });

  it('keeps at most ahead + 1 alive, frees each once, in order, whatever the timing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.record({ load: fc.nat(3), work: fc.nat(3), fails: fc.constantFrom(...'nnnnnnnnlw') }), {
          maxLength: 12,
        }),
        fc.option(fc.nat(20)),
        async (ahead, items, stopAfter) => {
          const { book, make } = ledger();
          const pause = async (ticks: number) => {
            for (let i = 0; i < ticks; i++) await Promise.resolve();
          };
          const seen: number[] = [];
          let inWork = 0;
          const done = new Subscription();
          const finished = new Promise<void>((resolve) => done.add(resolve));
          const load = async (i: number) => {
            const value = make(i);
            await pause(items[i]!.load);
            if (items[i]!.fails === 'l') {
              value.dispose();
              throw new Error('load');
            }
            return value;
          };
          const running = prefetch(items.keys(), load, { ahead })
            .pipe(
              concatLease((value$) =>
                value$.pipe(
                  mergeMap(async ({ id }) => {
                    assert.equal(++inWork, 1);
                    await pause(items[id]!.work);
                    inWork--;
                    seen.push(id);
                    if (items[id]!.fails === 'w') throw new Error('work');
                  }),
                ),
              ),
              catchError((error: Error) =>
                error.message === 'load' || error.message === 'work' ? EMPTY : throwError(() => error),
              ),
            )
            .subscribe();
          running.add(done);
          if (stopAfter !== null) {
            await pause(stopAfter);
            running.unsubscribe();
          }
          await finished;
          await pause(20);
          assert.ok(book.most <= ahead + 1, `${book.most} alive with ahead ${ahead}`);
          assert.deepEqual([book.alive, book.freed], [0, book.made]);
          assert.deepEqual(seen, [...seen.keys()]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
