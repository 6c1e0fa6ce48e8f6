import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import type { CheckpointEvent, Event } from '../../src/events/event.js';
import { earlierEvents, readEvents } from '../../src/events/read-events.js';
import { jsonLines } from '../../src/loggers/json-lines.js';
import { secondsOf, withoutClocks } from '../../src/loggers/logger.js';
import { log, withFolder } from './log.js';
import { later, runEvent, sampleRun, stepEvent } from './sample-run.js';

const file = (dir: string) => join(dir, 'events.jsonl');

/** Events of the run up to and including the last of a step. */
const until = (events: readonly Event[], step: number) =>
  events.filter((event) => !('step' in event && event.step! > step) && event.type !== 'done');

describe('jsonLines', () => {
  it('writes every event as a line', () =>
    withFolder(async (dir) => {
      await log(jsonLines(dir)({}), sampleRun());
      const lines = (await readFile(file(dir), 'utf8')).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as Event),
        sampleRun(),
      );
      assert.deepEqual(await readEvents(file(dir)), sampleRun());
      assert.deepEqual(await readdir(dir), ['events.jsonl']);
    }));

  it('has each line in the file before it asks for the next event', () =>
    withFolder(async (dir) => {
      const logger = jsonLines(dir)({});
      for (const [i, event] of sampleRun().slice(0, 6).entries()) {
        await logger.next(event);
        assert.equal((await readEvents(file(dir))).length, i + 1);
      }
      await logger.close?.();
    }));

  it('replaces the file of an older run', () =>
    withFolder(async (dir) => {
      await log(jsonLines(dir)({}), sampleRun());
      await log(jsonLines(dir)({}), [runEvent()]);
      assert.deepEqual(await readEvents(file(dir)), [runEvent()]);
    }));

  it('equals an unbroken file but for clocks, wherever the run was killed and from whichever checkpoint it goes on', () =>
    withFolder(async (dir) => {
      const whole = sampleRun();
      for (const checkpoint of [4, 8])
        for (
          let killed = whole.findIndex((e) => e.type === 'checkpoint' && e.step === checkpoint) + 1;
          killed <= whole.length;
          killed++
        ) {
          await log(jsonLines(dir)({}), whole.slice(0, killed));
          await appendFile(file(dir), '{"type":"step","st');
          const earlier = await earlierEvents(dir, checkpoint);
          const rest = whole.slice(
            whole.findIndex((e) => e.type === 'checkpoint' && e.step === checkpoint) + 1,
          );
          await log(jsonLines(dir)({ earlier }), later([runEvent(), ...rest], 600));
          const got = await readEvents(file(dir));
          assert.deepEqual(got.map(withoutClocks), whole.map(withoutClocks), `${checkpoint}, ${killed}`);
        }
    }));

  it('keeps what an earlier process wrote when the next one is killed before its first event', () =>
    withFolder(async (dir) => {
      await log(jsonLines(dir)({}), sampleRun());
      const before = await readFile(file(dir), 'utf8');
      await jsonLines(dir)({ earlier: await earlierEvents(dir, 4) }).close?.();
      assert.equal(await readFile(file(dir), 'utf8'), before);
    }));

  it('counts the seconds of all processes and none between them', () =>
    withFolder(async (dir) => {
      // 4.4 s to the first checkpoint, 4 s more after each resume an hour later.
      await log(jsonLines(dir)({}), until(sampleRun(), 4));
      for (const checkpoint of [4, 8]) {
        const earlier = await earlierEvents(dir, checkpoint);
        const next = until(sampleRun(), checkpoint + 4).filter((e) => 'step' in e && e.step! > checkpoint);
        const begun = runEvent({ time: runEvent().time + checkpoint * 1000 + 400 });
        await log(jsonLines(dir)({ earlier }), later([begun, ...next], 3600 * checkpoint));
      }
      assert.ok(Math.abs(secondsOf(await readEvents(file(dir))) - 12.45) < 1e-9);
    }));
});

describe('earlierEvents', () => {
  it('is empty where nothing was logged', () =>
    withFolder(async (dir) => assert.deepEqual(await earlierEvents(dir, 4), [])));

  it('drops what follows the checkpoint: its test scores, its end, and later warnings', () =>
    withFolder(async (dir) => {
      const warning: Event = { type: 'warning', time: 1, code: 'x', message: 'y' };
      await log(jsonLines(dir)({}), [...sampleRun(1), warning]);
      assert.deepEqual((await earlierEvents(dir, 4)).map(({ type }) => type).slice(-2), [
        'validation',
        'checkpoint',
      ]);
    }));

  it('puts back a checkpoint that was whole and not yet logged', () =>
    withFolder(async (dir) => {
      const whole = sampleRun(1);
      const at = whole.findIndex(({ type }) => type === 'checkpoint');
      const lost = whole[at] as CheckpointEvent;
      await log(jsonLines(dir)({}), whole.slice(0, at));
      assert.deepEqual(await earlierEvents(dir, 4, lost), whole.slice(0, at + 1));
      await log(jsonLines(dir)({}), whole);
      assert.deepEqual(await earlierEvents(dir, 4, lost), whole.slice(0, at + 1));
    }));
});

describe('readEvents', () => {
  it('names the file and line of an invalid event', () =>
    withFolder(async (dir) => {
      await writeFile(
        file(dir),
        `${JSON.stringify(stepEvent(1))}\nnonsense\n${JSON.stringify(stepEvent(2))}\n`,
      );
      await assert.rejects(readEvents(file(dir)), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /events\.jsonl:2: expected an event.*nonsense/);
        return true;
      });
    }));

  it('gives back NaN where JSON has null, as it was logged', () =>
    withFolder(async (dir) => {
      const [step] = [stepEvent(1, { loss: Number.NaN, gradientNorm: Number.NaN })];
      await log(jsonLines(dir)({}), [runEvent(), step!]);
      assert.match(await readFile(file(dir), 'utf8'), /"loss":null/);
      assert.deepEqual(await readEvents(file(dir)), [runEvent(), step]);
    }));

  for (const [what, text, message] of [
    ['a step beyond all numbers', '{"type":"step","step":1e400}', /:2: .* a step event with time: /],
    [
      'a huge step',
      JSON.stringify(stepEvent(1)).replace('"step":1,', '"step":1e400,'),
      /:2: .* a step event with step: /,
    ],
    ['an event without scores', '{"type":"validation","time":1,"step":1,"epoch":1}', /:2: .* with split: /],
    ['an unknown event', '{"type":"stap"}', /:2: expected an event as a line of JSON, got \{"type":"stap"\}/],
    ['a name of JavaScript’s own', '{"type":"constructor"}', /:2: .*got \{"type":"constructor"\}; correct/],
    ['no object', 'null', /:2: .*got null/],
  ] as const)
    it(`names file and line of ${what}`, () =>
      withFolder(async (dir) => {
        await writeFile(
          file(dir),
          `${JSON.stringify(runEvent())}\n${text}\n${JSON.stringify(stepEvent(2))}\n`,
        );
        await assert.rejects(earlierEvents(dir, 4), { name: 'UserError', message });
      }));

  it('says that the file does not exist', () =>
    withFolder((dir) =>
      assert.rejects(readEvents(file(dir)), /events\.jsonl: expected an events file, got nothing/),
    ));
});
