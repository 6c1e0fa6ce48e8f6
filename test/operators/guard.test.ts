import assert from 'node:assert/strict';
import '../../src/tasks/segmentation/metrics/metric.js';
import { EMPTY, from, lastValueFrom, map, type Observable, of, throwError, timer, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import '../../src/tasks/segmentation/metrics/metric.js';
import { DivergedError, failIfDiverged } from '../../operators/fail-if-diverged.js';
import { type GuardedRun, type GuardOptions, guard } from '../../operators/guard.js';
import type { Event } from '../../src/events/event.js';
import type { Memory } from '../../src/train/run-state.js';

const stepOf = (step: number, loss: number, gradientNorm = 1): Event => ({
  type: 'step',
  time: 0,
  step,
  epoch: 1,
  batch: step - 1,
  batches: 1e6,
  loss,
  learningRate: { all: 1 },
  gradientNorm,
  images: 1,
  seconds: 1,
  imagesPerSecond: 1,
});
const steps = (...losses: number[]) => losses.map((loss, i) => stepOf(i + 1, loss));
const scored = (step: number, softDice: number, split = 'validation'): Event => ({
  type: 'validation',
  time: 0,
  split,
  epoch: step,
  step,
  scores: { loss: 0, softDice, miou: 1 - softDice },
  images: 1,
  seconds: 1,
});
const scores = (...values: number[]) => values.map((value, i) => scored(i + 1, value));
/** A run whose soft Dice is watched. */
const watched = (more: Partial<GuardedRun> = {}): GuardedRun => ({ memory: {}, metric: 'softDice', ...more });
const guarded = (events: readonly Event[], options?: GuardOptions, run: GuardedRun = watched()) =>
  lastValueFrom(from(events).pipe(guard(run, options), toArray()));

/** The warning's code and the last event's reason; `fine` where every event passed and nothing was added. */
async function verdict(events: readonly Event[], options?: GuardOptions, run?: GuardedRun): Promise<string> {
  const out = await guarded(events, options, run);
  if (out.length === events.length && out.every((event, i) => event === events[i])) return 'fine';
  const [warning, done] = out.slice(-2);
  assert(warning?.type === 'warning' && done?.type === 'done', JSON.stringify(out.at(-1)));
  assert.equal(done.reason, 'guard');
  assert.equal(done.step, out.length - 2, 'stopped at the first event that was wrong');
  return warning.code;
}

describe('guard', () => {
  it('stops at a loss or a gradient that is not finite', async () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      assert.equal(await verdict([...steps(1, 1, bad), stepOf(4, 1)]), 'not-finite');
      assert.equal(await verdict([stepOf(1, 1), stepOf(2, 1, bad), stepOf(3, 1)]), 'not-finite');
    }
    assert.equal(await verdict(scores(0.5, Number.NaN, 0.5)), 'not-finite');
  });

  it('stops at a loss that explodes, at once and however slowly it rose', async () => {
    assert.equal(await verdict(steps(1, 0.9, 1e6, 1)), 'explosion');
    assert.equal(await verdict(steps(0.4, 0.3, 0.2, 500, 0.2)), 'explosion');
    assert.equal(await verdict(steps(...Array.from({ length: 60 }, (_, i) => 1.5 ** i))), 'explosion');
    assert.equal(await verdict(steps(5000, 4000, 600_000)), 'explosion');
  });

  it('does not stop runs with sparse foreground: losses of 0.001 and sometimes one of 0.33', async () => {
    const sparse = Array.from({ length: 1000 }, (_, i) => (i % 137 === 99 ? 0.33 : 0.001));
    assert.equal(await verdict(steps(...sparse)), 'fine');
    const block = [...Array(500).fill(1e-4), ...Array(50).fill(0.4338), ...Array(500).fill(1e-5)];
    assert.equal(await verdict(steps(...block)), 'fine');
    // Cross-entropy of one picture that is all wrong, after many that were right.
    assert.equal(await verdict(steps(0.7, ...Array(300).fill(1e-3), 25, 1e-3)), 'fine');
    assert.equal(await verdict(steps(0, 0, 0, 0.3, 0)), 'fine');
    assert.equal(await verdict(steps(-3, -2, 5, -4)), 'fine');
  });

  it('stops where a score collapses for two validations in a row', async () => {
    assert.equal(await verdict(scores(0.3, 0.8, 0.2, 0.1, 0.9)), 'collapse');
    assert.equal(await verdict(scores(0.8, 0.2, 0.7, 0.2, 0.7)), 'fine');
    assert.equal(await verdict(scores(0.8, 0.5, 0.45, 0.41)), 'fine');
    assert.equal(await verdict(scores(0.8, 0.2, 0.1, 0.1), { patience: 4 }), 'fine');
  });

  it('tolerates the ups and downs of a low score', async () =>
    assert.equal(await verdict(scores(0.02, 0.09, 0.01, 0.02, 0.01, 0.03)), 'fine'));

  it('watches the given metric and split', async () => {
    assert.equal(await verdict(scores(0.2, 0.8, 0.9, 0.9), { metric: 'miou' }), 'collapse');
    const other = [scored(1, 0.9), scored(2, 0.1, 'train'), scored(3, 0.1, 'train'), scored(4, 0.9)];
    assert.equal(await verdict(other), 'fine');
    assert.equal(await verdict([scored(1, 0.9, 'train'), ...other.slice(1)], { split: 'train' }), 'collapse');
  });

  it('says what was really restored', async () => {
    const message = async (restoreLast?: GuardedRun['restoreLast']) => {
      const out = await guarded(steps(1, Number.NaN), {}, watched(restoreLast && { restoreLast }));
      const warning = out.at(-2);
      assert(warning?.type === 'warning');
      return warning.message;
    };
    const stopped = 'the loss became NaN at step 2: the run was stopped';
    assert.equal(await message(), stopped);
    assert.equal(await message(() => of(12)), `${stopped}, and the checkpoint of step 12 restored`);
    assert.equal(await message(async () => undefined), `${stopped}; there is no checkpoint to restore`);
    assert.equal(
      await message(() => throwError(() => new Error('x.safetensors is damaged'))),
      `${stopped}, but its last checkpoint could not be restored: x.safetensors is damaged`,
    );
  });

  it('continues from the memory of another process', async () => {
    const memory: Memory = {};
    await guarded([...steps(2, 1), ...scores(0.8, 0.2)], {}, watched({ memory }));
    const copy = JSON.parse(JSON.stringify(memory)) as Memory;
    assert.equal(await verdict([scored(1, 0.1)], {}, watched({ memory })), 'collapse');
    assert.equal(await verdict(steps(150), {}, watched({ memory: copy })), 'fine');
    assert.equal(await verdict(steps(250), {}, watched({ memory: copy })), 'explosion');
    // The memory of a checkpoint that an older version wrote.
    assert.equal(
      await verdict(steps(1, 2), {}, watched({ memory: { guard: { loss: 1, best: 0.5, bad: 0 } } })),
      'fine',
    );
  });

  it('unsubscribes from the run at the bad event, and restores before it says so', () => {
    new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(
      ({ hot, cold, expectObservable, expectSubscriptions }) => {
        const events = { a: stepOf(1, 1), b: stepOf(2, Number.NaN), c: stepOf(3, 1), v: scored(3, 0.5) };
        const word = (event: Event) => (event.type === 'done' ? event.reason : event.type);
        const values = { s: 'step', v: 'validation', w: 'warning', g: 'guard' };

        const bad = hot('--a--b--c--|', events);
        expectObservable(bad.pipe(guard(watched()), map(word))).toBe('--s--(swg|)', values);
        expectSubscriptions(bad.subscriptions).toBe('^----!');

        const restored = hot('--a--b--c--|', events);
        const restore = cold('---(r|)', { r: 1 });
        expectObservable(restored.pipe(guard(watched({ restoreLast: () => restore })), map(word))).toBe(
          '--s--s--(wg|)',
          values,
        );
        expectSubscriptions(restored.subscriptions).toBe('^----!');
        expectSubscriptions(restore.subscriptions).toBe('-----^--!');

        const good = hot('--a--v--c--|', events);
        expectObservable(good.pipe(guard(watched()), map(word))).toBe('--s--v--s--|', values);
        expectSubscriptions(good.subscriptions).toBe('^----------!');

        const left = hot('--a--v--c--|', events);
        expectObservable(left.pipe(guard(watched()), map(word)), '^---!').toBe('--s--', values);
        expectSubscriptions(left.subscriptions).toBe('^---!');

        const failing = hot('--a--#', events);
        expectObservable(failing.pipe(guard(watched()), map(word))).toBe('--s--#', values);
      },
    );
  });
});

describe('failIfDiverged', () => {
  it('fails after the last event of a run that the guard stopped, and of no other', async () => {
    const heard: string[] = [];
    const run = (events$: Observable<Event>) =>
      new Promise<unknown>((resolve) => {
        events$.pipe(guard(watched()), failIfDiverged()).subscribe({
          next: ({ type }) => heard.push(type),
          error: resolve,
          complete: () => resolve('complete'),
        });
      });
    assert.equal(await run(from(steps(1, 1))), 'complete');
    assert.equal(await run(EMPTY), 'complete');
    heard.length = 0;
    const error = await run(from(steps(1, Infinity)));
    assert(error instanceof DivergedError);
    assert.equal(error.name, 'UserError');
    assert.match(error.message, /^the guard stopped the run at step 2, .*--lr.*--no-guard$/);
    assert.deepEqual(heard, ['step', 'step', 'warning', 'done']);
    const broken = timer(0).pipe(map((): Event => assert.fail('a bug')));
    assert.match(String(await run(broken)), /a bug/);
  });
});
