import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  catchError,
  concat,
  concatMap,
  delay,
  filter,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  of,
  take,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { concatLease } from '../../operators/concat-lease.js';
import { lockstep } from '../../operators/lockstep.js';
import { prefetch } from '../../operators/prefetch.js';
import { prune } from '../../operators/prune.js';
import { report } from '../../operators/report.js';
import { trainStep } from '../../operators/train-step.js';
import { trialGroups } from '../../operators/trial-groups.js';
import type { Batch } from '../../src/data/batch.js';
import type { BatchPlan } from '../../src/data/types.js';
import { createStudy } from '../../src/study/create-study.js';
import { ThresholdPruner } from '../../src/study/pruners/threshold.js';
import type { Trial } from '../../src/study/trial.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import type { Run } from '../../src/train/run.js';
import { middle } from '../study/sampler.js';
import { free, tinyBatch, tinyPlans, tinyRun } from '../train/tiny.js';

interface Value {
  readonly id: number;
  dispose(): void;
}

/** Values that count how many of them are alive, and that refuse to be freed twice. */
function ledger() {
  const book = { alive: 0, most: 0, made: 0 };
  const make = (id: number): Value => {
    book.made++;
    book.most = Math.max(book.most, ++book.alive);
    let live = true;
    return {
      id,
      dispose() {
        assert.ok(live, `value ${id} was freed twice`);
        live = false;
        book.alive--;
      },
    };
  };
  return { book, make };
}

function marbles(test: Parameters<TestScheduler['run']>[0]): void {
  new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(test);
}

/** A training whose steps take so long each, and say `<name><id>`. */
const steps = (name: string, frames: number) =>
  concatLease<Value, string>((value$) =>
    value$.pipe(mergeMap(({ id }) => timer(frames).pipe(map(() => `${name}${id}`)))),
  );

describe('lockstep', () => {
  it('loads each value once for all, and lets it go when the slowest has worked on it', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const { make } = ledger();
      const loads = ['--(a|)', '--(b|)', '--(c|)'].map((diagram) => cold(diagram));
      const result = prefetch([0, 1, 2], (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 1 }).pipe(
        lockstep([steps('a', 2), steps('b', 5)]),
      );
      // Both have 0 from 2; a is done with it at 4, b at 7, when 2 begins to load; 1 ends at 12, 2 at 17.
      expectObservable(result).toBe('----p-qr---st----(u|)', {
        p: 'a0',
        q: 'a1',
        r: 'b0',
        s: 'a2',
        t: 'b1',
        u: 'b2',
      });
      expectSubscriptions(loads[0]!.subscriptions).toBe('^-!');
      expectSubscriptions(loads[1]!.subscriptions).toBe('^-!');
      expectSubscriptions(loads[2]!.subscriptions).toBe('-------^-!');
    });
  });

  it('goes on without one that ends early, and stops loading when none is left', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const { book, make } = ledger();
      const loads = ['-(a|)', '-(b|)', '-(c|)', '-(d|)'].map((diagram) => cold(diagram));
      const source$ = prefetch([0, 1, 2, 3], (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 0 });
      const result = source$.pipe(
        lockstep([
          (leases$) => leases$.pipe(steps('a', 1), take(1)),
          (leases$) => leases$.pipe(steps('b', 3), take(2)),
        ]),
      );
      //                                   loads at 0 and, b having ended with 0 at 4, at 4; nothing from 8 on
      expectObservable(result).toBe('--p-q---(r|)', { p: 'a0', q: 'b0', r: 'b1' });
      expectSubscriptions(loads[1]!.subscriptions).toBe('----^!');
      expectSubscriptions(loads[2]!.subscriptions).toBe([]);
      flush();
      assert.deepEqual([book.made, book.alive], [2, 0]);
    });
  });

  it('passes on the first failure when all others have ended', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { book, make } = ledger();
      const failing = (name: string, at: number) =>
        concatLease<Value, string>((value$) =>
          value$.pipe(
            mergeMap(({ id }) => (id === at ? throwError(() => `${name} failed`) : of(`${name}${id}`))),
          ),
        );
      const result = prefetch([0, 1, 2], (i) => cold('-(x|)').pipe(map(() => make(i))), { ahead: 0 }).pipe(
        lockstep([failing('y', 1), failing('x', 0), steps('a', 1)]),
      );
      // x fails at 1 and y at 3
      expectObservable(result).toBe('-pq-r-(s#)', { p: 'y0', q: 'a0', r: 'a1', s: 'a2' }, 'x failed');
      flush();
      assert.equal(book.alive, 0);
    });
  });

  it('hands a failure of the batches to each, after the work before it', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { book, make } = ledger();
      const loads = [cold('-(a|)'), cold('-#', undefined, 'unreadable')];
      const told = (name: string) =>
        catchError<string, Observable<string>>((error) => of(`${name}: ${error}`));
      const result = prefetch([0, 1], (i) => loads[i]!.pipe(map(() => make(i))), { ahead: 1 }).pipe(
        lockstep([
          (leases$) => leases$.pipe(steps('a', 1), told('a')),
          (leases$) => leases$.pipe(steps('b', 2), told('b')),
        ]),
      );
      expectObservable(result).toBe('--p(qrs|)', {
        p: 'a0',
        q: 'b0',
        r: 'a: unreadable',
        s: 'b: unreadable',
      });
      flush();
      assert.equal(book.alive, 0);
    });
  });

  it('begins when all have come, or ended without', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const { make } = ledger();
      const load = cold('-(a|)');
      const result = prefetch([0], () => load.pipe(map(() => make(0))), { ahead: 0 }).pipe(
        lockstep([
          steps('a', 1),
          (leases$) => concat(timer(4).pipe(map(() => 'late')), leases$.pipe(steps('b', 1))),
          () => timer(6).pipe(map(() => 'idle')),
        ]),
      );
      expectSubscriptions(load.subscriptions).toBe('------^!');
      expectObservable(result).toBe('----p-q-(rs|)', { p: 'late', q: 'idle', r: 'a0', s: 'b0' });
    });
  });

  it('frees all when it is left, whatever is loading, waiting or being worked on', () => {
    const scenario = fc.record({
      ahead: fc.nat(3),
      loads: fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }),
      works: fc.array(
        fc.record({ frames: fc.nat(5), ends: fc.nat(7), fails: fc.boolean(), late: fc.nat(3) }),
        { minLength: 1, maxLength: 4 },
      ),
      leave: fc.nat(40),
    });
    fc.assert(
      fc.property(scenario, ({ ahead, loads, works, leave }) => {
        const { book, make } = ledger();
        const seen = works.map(() => [] as number[]);
        new TestScheduler(() => {}).run(({ flush }) => {
          const subscription = prefetch(loads.keys(), (i) => timer(loads[i]!).pipe(map(() => make(i))), {
            ahead,
          })
            .pipe(
              lockstep(
                works.map(
                  ({ frames, ends, fails, late }, w) =>
                    (leases$) =>
                      concat(
                        timer(late).pipe(filter(() => false)),
                        leases$.pipe(
                          concatLease((value$) =>
                            value$.pipe(
                              delay(frames),
                              mergeMap(({ id }) => {
                                seen[w]!.push(id);
                                return fails && id === ends ? throwError(() => new Error('fails')) : of(id);
                              }),
                            ),
                          ),
                          take(ends + 1),
                        ),
                      ),
                ),
              ),
            )
            .subscribe({ error: () => {} });
          timer(leave).subscribe(() => subscription.unsubscribe());
          flush();
        });
        assert.equal(book.alive, 0);
        assert.ok(book.most <= ahead + 1 && book.made <= loads.length);
        // each saw what was loaded, in order, without a gap
        for (const ids of seen) assert.deepEqual(ids, [...ids.keys()]);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses to run nothing, and to lend twice to one', async () => {
    assert.throws(() => lockstep([]), /at least one training, got none/);
    const twice = lockstep<Value, unknown>([(leases$) => concat(leases$.pipe(take(0)), leases$, leases$)]);
    await assert.rejects(lastValueFrom(of().pipe(twice), { defaultValue: 0 }), /takes its leases once/);
  });
});

describe('trials in lockstep', () => {
  const rates = [1e-3, 1e-2, 3e-2, 1e-1];
  const training = (learningRate: number) => tinyRun({ loss: crossEntropy(), learningRate, seed: 1 });
  const weights = async ({ model }: Pick<Run, 'model'>) =>
    Promise.all([...model.parameters].map(async ({ value }) => [...(await value.data())]));

  it('decode each picture once and end with the weights that each would have alone', async () => {
    const decoded = new Map<string, number>();
    const load = (plan: BatchPlan) => {
      for (const { index } of plan.samples) {
        const key = `${plan.epoch}/${index}`;
        decoded.set(key, (decoded.get(key) ?? 0) + 1);
      }
      return of(tinyBatch(plan)).pipe(delay(0));
    };
    const plans = tinyPlans({ count: 7, epochs: 2 });
    const alone: unknown[] = [];
    for (const rate of rates) {
      const run = training(rate);
      await lastValueFrom(
        prefetch(plans, (plan) => of(tinyBatch(plan)), { ahead: 1 }).pipe(
          concatLease((batch$) => batch$.pipe(trainStep(run))),
        ),
      );
      alone.push(await weights(run));
      free(run);
    }
    const together = rates.map(training);
    const events = await lastValueFrom(
      prefetch(plans, load, { ahead: 2 }).pipe(
        lockstep(
          together.map((run) => concatLease((batch$: Observable<Batch>) => batch$.pipe(trainStep(run)))),
        ),
        toArray(),
      ),
    );
    assert.deepEqual(await Promise.all(together.map(weights)), alone);
    together.forEach(free);
    assert.equal(events.filter(({ type }) => type === 'step').length, plans.length * rates.length);
    assert.deepEqual([...new Set(decoded.values())], [1]);
    assert.equal(decoded.size, 14);
  });

  it('are pruned, fail and complete each for itself, group after group', async () => {
    const study = await createStudy({
      sampler: middle,
      pruner: new ThresholdPruner({ upper: 10 }),
      warn: () => {},
    });
    const { book, make } = ledger();
    const fates = [
      (id: number) => id,
      (id: number) => 9 + id, // above 10 at the third value
      (id: number) => {
        if (id === 2) throw new Error('out of memory');
        return id;
      },
    ];
    const work = (trial: Trial) => (leases$: Parameters<ReturnType<typeof steps>>[0]) =>
      leases$.pipe(
        concatLease((value$) => value$.pipe(map(({ id }) => fates[trial.number % 3]!(id)))),
        report(trial, (value: number) => value, { catches: () => true }),
        prune(trial),
      );
    const groups: number[][] = [];
    await lastValueFrom(
      trialGroups(study, 5, 3).pipe(
        concatMap((group) => {
          groups.push(group.map(({ number }) => number));
          return prefetch([0, 1, 2, 3], (id) => of(make(id)).pipe(delay(0)), { ahead: 1 }).pipe(
            lockstep(group.map(work)),
          );
        }),
      ),
    );
    assert.deepEqual(groups, [
      [0, 1, 2],
      [3, 4],
    ]);
    assert.deepEqual(
      (await study.trials()).map(({ state, values }) => [state, values]),
      [
        ['COMPLETE', [3]],
        ['PRUNED', [11]],
        ['FAIL', null],
        ['COMPLETE', [3]],
        ['PRUNED', [11]],
      ],
    );
    assert.deepEqual([book.made, book.alive], [8, 0]);
  });

  it('that were asked for and not wanted are told so', async () => {
    const study = await createStudy({ sampler: middle, warn: () => {} });
    const subscription = trialGroups(study, 4, 2).subscribe();
    subscription.unsubscribe();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const trials = await study.trials();
    assert.ok(trials.length <= 2 && trials.every(({ state }) => state === 'FAIL'));
    assert.throws(() => trialGroups(study, 4, 0), /size: expected an integer from 1 up, got 0/);
  });
});
