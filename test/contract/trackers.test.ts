// What every tracker does: the same numbers at the same steps, one run through a resume, how it ended; and where it
// cannot do its work, one warning and a run that goes on.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { logTo } from '../../operators/log-to.js';
import type { Event } from '../../src/events/event.js';
import type { LoggedRun, Logger, RunEnd } from '../../src/loggers/logger.js';
import { log, withFolder } from '../loggers/log.js';
import { later, runEvent, sampleRun } from '../loggers/sample-run.js';
import { trackers } from './tracker-subjects.js';

const warnings = (events: readonly Event[]) => events.filter((event) => event.type === 'warning');

for (const { name, open, ends } of trackers)
  describe(`the tracker ${name}`, () => {
    /** A folder, what logs into it, and what its readers find. */
    const inFolder = (test: (dir: string, tracker: Awaited<ReturnType<typeof open>>) => Promise<void>) =>
      withFolder(async (dir) => {
        const tracker = await open(dir);
        try {
          await test(dir, tracker);
        } finally {
          await tracker.close();
        }
      });
    const losses = Array.from({ length: 12 }, (_, i) => [i + 1, Math.fround(1 / (i + 1))]);
    const rounded = (points: readonly (readonly [number, number])[]) =>
      points.map(([step, value]) => [step, Math.fround(value)]);
    const logAll = async (logger: Logger, events: readonly Event[], end: RunEnd = 'finished') => {
      await log(logger, events, { close: false });
      await logger.close?.(end);
    };

    it('has each number at its step, settings, and the end', () =>
      inFolder(async (logs, { logger, read }) => {
        await logAll(logger({ logs }), sampleRun());
        const runs = await read();
        assert.equal(runs.length, 1);
        const { scalars, settings, end } = runs[0]!;
        assert.deepEqual(rounded(scalars('train/loss')), losses);
        const dice = [1, 2, 3].map((epoch) => [4 * epoch, Math.fround(0.5 + epoch / 10)]);
        assert.deepEqual(rounded(scalars('validation/soft_dice')), dice);
        assert.deepEqual(rounded(scalars('validation_dice/pet')), dice);
        assert.deepEqual(rounded(scalars('test/miou')), [[12, 0.75]]);
        assert.deepEqual([String(settings['rank']), settings['adapter']], ['4', 'lora']);
        assert.equal(end, ends.finished);
      }));

    for (const end of ['finished', 'failed', 'stopped'] as const)
      it(`tells a run that ${end === 'stopped' ? 'was' : 'has'} ${end} from others`, () =>
        inFolder(async (logs, { logger, read }) => {
          await logAll(logger({ logs }), sampleRun().slice(0, 4), end);
          assert.equal((await read())[0]!.end, ends[end]);
        }));

    it('goes on with its run after a resume, each step once', () =>
      inFolder(async (logs, { logger, read }) => {
        const whole = sampleRun();
        // Killed two steps after the checkpoint of the first epoch.
        await logAll(logger({ logs }), whole.slice(0, 10), 'stopped');
        const resumed = [...later([runEvent({ epochs: 4 })], 60), ...later(whole.slice(8), 60)];
        await logAll(logger({ logs, earlier: whole.slice(0, 8) }), resumed);
        const runs = await read();
        assert.equal(runs.length, 1);
        assert.deepEqual(rounded(runs[0]!.scalars('train/loss')), losses);
        assert.equal(runs[0]!.end, ends.finished);
      }));

    it('has after a resume what an earlier process could not log', () =>
      inFolder(async (logs, { logger, read }) => {
        const whole = sampleRun();
        await logAll(logger({ logs, earlier: whole.slice(0, 8) }), [runEvent(), ...whole.slice(8)]);
        assert.deepEqual(rounded((await read())[0]!.scalars('train/loss')), losses);
      }));

    it('keeps values that are not finite', () =>
      inFolder(async (logs, { logger, read }) => {
        const [run, step] = sampleRun();
        const infinite = { ...step!, step: 2, loss: Number.POSITIVE_INFINITY } as Event;
        await logAll(logger({ logs }), [run!, { ...step!, loss: Number.NaN } as Event, infinite]);
        assert.deepEqual((await read())[0]!.scalars('train/loss'), [
          [1, Number.NaN],
          [2, Number.POSITIVE_INFINITY],
        ]);
      }));

    it('costs a run one warning where it cannot do its work', () =>
      withFolder(async (dir) => {
        // Its folder cannot be made, since a file is in its place; a server is nowhere.
        await mkdir(join(dir, 'logs'));
        await writeFile(join(dir, 'logs', 'blocked'), '');
        const tracker = await open(join(dir, 'logs', 'blocked'));
        await tracker.close();
        const run: LoggedRun = { logs: join(dir, 'logs', 'blocked') };
        const events = await lastValueFrom(from(sampleRun()).pipe(logTo(run, tracker.logger), toArray()));
        assert.deepEqual(
          warnings(events).map(({ code }) => code),
          ['logger-failed'],
        );
        assert.equal(events.length, sampleRun().length + 1);
      }));
  });
