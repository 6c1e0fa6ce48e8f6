import assert from 'node:assert/strict';
import { EMPTY, firstValueFrom, from, lastValueFrom, NEVER, of, Subject, throwError, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { logTo } from '../../operators/log-to.js';
import type { Event } from '../../src/events/event.js';
import { warningEvent } from '../../src/events/warning-event.js';
import type { Logger, RunEnd } from '../../src/loggers/logger.js';
import { sampleRun, stepEvent } from '../loggers/sample-run.js';

/** Remembers what it was called with. */
function memory(name = 'memory'): Logger & { heard: Event[]; closed: number } {
  const logger = {
    name,
    heard: [] as Event[],
    closed: 0,
    next: (event: Event) => void logger.heard.push(event),
    close: () => void logger.closed++,
  };
  return logger;
}

/** A promise that a test resolves. */
function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const warnings = (events: readonly Event[]) => events.filter((event) => event.type === 'warning');

describe('logTo', () => {
  it('passes events on in the same frame, and unsubscribes the source', () =>
    new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(
      ({ hot, expectObservable, expectSubscriptions }) => {
        const values = { a: stepEvent(1), b: stepEvent(2), c: stepEvent(3) };
        const source = hot('  -a-(bc)--', values);
        const unsubscribe = ' -------!';
        expectObservable(source.pipe(logTo({}, memory())), unsubscribe).toBe('-a-(bc)--', values);
        expectSubscriptions(source.subscriptions).toBe('^------!');
      },
    ));

  it('lets every logger hear everything in order, and closes each once', async () => {
    const loggers = [memory(), memory()];
    const out = await lastValueFrom(from(sampleRun()).pipe(logTo({}, ...loggers), toArray()));
    assert.deepEqual(out, sampleRun());
    for (const { heard, closed } of loggers) {
      assert.deepEqual(heard, sampleRun());
      assert.equal(closed, 1);
    }
  });

  it('does not wait for a slow logger before the end, and then waits for it', async () => {
    const { open, passed } = gate();
    const slow = { ...memory('slow'), next: () => passed };
    const events = new Subject<Event>();
    const seen: Event[] = [];
    let completed = false;
    events.pipe(logTo({}, slow)).subscribe({
      next: (event) => seen.push(event),
      complete: () => {
        completed = true;
      },
    });
    for (const event of sampleRun()) events.next(event);
    assert.equal(seen.length, sampleRun().length);
    events.complete();
    await turn();
    assert.equal(completed, false);
    open();
    await turn();
    assert.equal(completed, true);
  });

  for (const [how, next] of Object.entries({
    throws: () => {
      throw new Error('disk full');
    },
    rejects: () => Promise.reject(new Error('disk full')),
  }))
    it(`drops a logger that ${how}, says so once, and lets the others hear of it`, async () => {
      const bad = { ...memory('bad.csv'), next, closed: 0, close: () => void bad.closed++ };
      const good = memory('good');
      const out = await lastValueFrom(from(sampleRun()).pipe(logTo({}, bad, good), toArray()));
      assert.deepEqual(
        warnings(out).map(({ code, message }) => [code, message]),
        [['logger-failed', 'bad.csv no longer logs: disk full']],
      );
      assert.deepEqual(warnings(good.heard), warnings(out));
      assert.deepEqual(
        out.filter(({ type }) => type !== 'warning'),
        sampleRun(),
      );
      assert.equal(bad.closed, 1);
      assert.equal(good.closed, 1);
    });

  it('says so before the end when a logger fails to close', async () => {
    const bad = { ...memory('bad'), close: () => Promise.reject(new Error('no room')) };
    const out = await lastValueFrom(from(sampleRun()).pipe(logTo({}, bad), toArray()));
    assert.equal(warnings(out)[0]?.message, 'bad no longer logs: no room');
  });

  it('keeps all but steps for a logger that lies far behind, and says so once', async () => {
    const { open, passed } = gate();
    const slow = memory('slow');
    const blocked = { ...slow, next: async (event: Event) => (await passed, slow.next(event)) };
    const events = new Subject<Event>();
    const out = lastValueFrom(events.pipe(logTo({}, blocked), toArray()));
    for (let step = 1; step <= 10_500; step++) events.next(stepEvent(step));
    for (const event of sampleRun().filter(({ type }) => type !== 'step')) events.next(event);
    open();
    events.complete();
    assert.equal(warnings(await out).length, 1);
    assert.equal((await out).filter(({ type }) => type === 'step').length, 10_500);
    assert.equal(slow.heard.filter(({ type }) => type === 'step').length, 10_000);
    assert.deepEqual(
      slow.heard.filter(({ type }) => type !== 'step'),
      sampleRun().filter(({ type }) => type !== 'step'),
    );
  });

  it('leaves behind a logger that hangs on an event or on closing, says so, and lets the others finish', async () => {
    const stuck = { ...memory('stuck'), patience: 0.01, next: () => new Promise<void>(() => {}) };
    const open = { ...memory('open'), patience: 0.01, close: () => new Promise<void>(() => {}) };
    const good = memory('good');
    const out = await lastValueFrom(from(sampleRun()).pipe(logTo({}, stuck, open, good), toArray()));
    assert.deepEqual(
      warnings(out).map(({ code, message }) => [code, message]),
      [
        ['logger-hangs', 'stuck has not answered for 0.01 s: the run ends without it'],
        ['logger-hangs', 'open has not answered for 0.01 s: the run ends without it'],
      ],
    );
    assert.deepEqual(good.heard.slice(0, -1), sampleRun());
    assert.equal(good.closed, 1);
  });

  it('waits for a logger that takes its time, as long as it goes on', async () => {
    const slow = memory('slow');
    const next = async (event: Event) => {
      await turn();
      slow.next(event);
    };
    const out = await lastValueFrom(
      from(sampleRun()).pipe(logTo({}, { ...slow, patience: 5, next }), toArray()),
    );
    assert.deepEqual(warnings(out), []);
    assert.deepEqual(slow.heard, sampleRun());
  });

  it('writes what was heard and closes when it is unsubscribed', async () => {
    const logger = memory();
    const events = new Subject<Event>();
    const subscription = events.pipe(logTo({}, logger)).subscribe();
    events.next(stepEvent(1));
    subscription.unsubscribe();
    assert.equal(events.observed, false);
    await turn();
    assert.deepEqual(logger.heard, [stepEvent(1)]);
    assert.equal(logger.closed, 1);
  });

  it('closes the loggers before it passes on an error', async () => {
    const logger = memory();
    await assert.rejects(
      lastValueFrom(throwError(() => new Error('burst')).pipe(logTo({}, logger))),
      /burst/,
    );
    assert.equal(logger.closed, 1);
  });

  it('tells each logger how the run ended', async () => {
    const ends: unknown[] = [];
    const logger = { name: 'ends', next: () => {}, close: (end?: RunEnd) => void ends.push(end) };
    const done = (reason: 'early-stop' | 'guard') =>
      ({ type: 'done', time: 1, reason, step: 1, epoch: 1, seconds: 1 }) as const;
    const trial = (state: 'COMPLETE' | 'PRUNED' | 'FAIL') =>
      ({ type: 'trial', time: 1, study: 's', number: 0, state, params: {} }) as const;
    const endings = [
      [done('early-stop')],
      [done('guard')],
      [trial('COMPLETE')],
      [trial('PRUNED'), warningEvent('code', 'after it')],
      [trial('FAIL')],
      [],
    ];
    for (const events of endings)
      await lastValueFrom(from([stepEvent(1), ...events]).pipe(logTo({}, logger)));
    await assert.rejects(lastValueFrom(throwError(() => new Error('burst')).pipe(logTo({}, logger))));
    NEVER.pipe(logTo({}, logger)).subscribe().unsubscribe();
    const failing = { ...logger, next: () => Promise.reject(new Error('disk full')) };
    await lastValueFrom(of(stepEvent(1)).pipe(logTo({}, failing)));
    await turn();
    const told = ['finished', 'failed', 'finished', 'stopped', 'failed', 'finished', 'failed', 'stopped'];
    assert.deepEqual(ends, [...told, undefined]);
  });

  it('closes the loggers of a run without events, and none of a run that goes on', async () => {
    const [ended, running] = [memory(), memory()];
    await firstValueFrom(EMPTY.pipe(logTo({}, ended)), { defaultValue: undefined });
    const subscription = NEVER.pipe(logTo({}, running)).subscribe();
    await turn();
    assert.deepEqual([ended.closed, running.closed], [1, 0]);
    subscription.unsubscribe();
  });
});
