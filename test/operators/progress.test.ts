import assert from 'node:assert/strict';
import '../../src/tasks/segmentation/metrics/metric.js';
import { concat, from, lastValueFrom, of, throwError, toArray } from 'rxjs';
import { progress } from '../../operators/progress.js';
import type { Event, RunEvent } from '../../src/events/event.js';
import type { Metric } from '../../src/tasks/segmentation/metrics/metric.js';
import { later, runEvent, sampleRun, stepEvent, validationEvent } from '../loggers/sample-run.js';

const CLEAR = '\r\x1b[K';

function screen(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  return { isTTY, columns, written, write: (text: string) => written.push(text) };
}

const show = async (events: readonly Event[], to: ReturnType<typeof screen>, every?: number) => {
  const out = await lastValueFrom(
    from(events).pipe(progress({ to, ...(every !== undefined && { every }) }), toArray()),
  );
  assert.deepEqual(out, events);
  return to.written.join('');
};

describe('progress', () => {
  it('writes plain lines where there is no terminal: a step every so many seconds, and each epoch', async () => {
    const text = await show(sampleRun(), screen(false), 5);
    assert.equal(text.includes('\x1b'), false);
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.filter((line) => line.includes('left')).length, 3); // at 1, 6 and 11 of 12 seconds
    assert.equal(lines.filter((line) => line.includes('train loss')).length, 3);
    assert.equal(lines[0], 'lora_42  lora, 1,536 + 2,307 parameters (adapter + head), on cpu f32');
    assert.match(
      lines.at(-1)!,
      /^finished after 3 epochs, 12 steps, 13 s; best validation at epoch 3: .*soft Dice 0\.8000/,
    );
  });

  it('says epoch, batch, loss, throughput and time left', async () => {
    const text = await show([runEvent(), stepEvent(6)], screen(false));
    assert.match(text, /epoch 2\/3 {2}█{10}░{10} 2\/4 {2}loss 0\.1667 {2}8\.0 images\/s {2}6\.0 s left/);
  });

  it('counts pauses into the time left, and nothing of before a resume', async () => {
    // Steps 5 and 6 of 12, three seconds apart in all four: 2 s a step, 6 steps left.
    const text = await show([runEvent(), stepEvent(5), ...later([stepEvent(6)], 2)], screen(false), 0);
    assert.match(text, /12 s left/);
  });

  it('rewrites one line on a terminal, never wider than it, and ends it', async () => {
    const to = screen(true, 40);
    await show([runEvent(), stepEvent(1), stepEvent(2)], to);
    assert.deepEqual(
      to.written.slice(1, 3).map((text) => text.replace(CLEAR, '').length),
      [39, 39],
    );
    assert.equal(to.written.at(-1), '\n');
  });

  it('shortens the bar, then omits it, before it cuts text', async () => {
    const said = async (columns: number) => {
      const to = screen(true, columns);
      await show([runEvent(), stepEvent(6)], to);
      return to.written[1]!.replace(CLEAR, '');
    };
    assert.equal(
      await said(75),
      `epoch 2/3  ${'█'.repeat(10)}${'░'.repeat(10)} 2/4  loss 0.1667  8.0 images/s  6.0 s left`,
    );
    assert.equal(await said(67), 'epoch 2/3  ██████░░░░░░ 2/4  loss 0.1667  8.0 images/s  6.0 s left');
    // A terminal that does not say how wide it is.
    assert.equal(await said(0), await said(80));
    assert.equal(await said(50), 'epoch 2/3  2/4  loss 0.1667  8.0 images/s  6.0 s left'.slice(0, 49));
  });

  it('clears the rewritten line before a lasting one', async () => {
    const to = screen(true);
    await show([stepEvent(1), { type: 'warning', time: 0, code: 'x', message: 'careful' }], to);
    assert.ok(to.written.at(-1)!.startsWith(CLEAR));
    assert.match(to.written.at(-1)!, /warning: careful.*\n$/);
  });

  it('ends the line when the run fails', async () => {
    const to = screen(true);
    const failing = concat(
      of<Event>(stepEvent(1)),
      throwError(() => new Error('burst')),
    );
    await assert.rejects(lastValueFrom(failing.pipe(progress({ to }))), /burst/);
    assert.equal(to.written.at(-1), '\n');
  });

  it('marks the best validation', async () => {
    const text = await show(sampleRun(2), screen(false));
    assert.equal(text.match(/validation {2}.* best$/gm)?.length, 2);
  });

  it('marks the best by the given metric, and names the metric', async () => {
    const loss = (epoch: number, value: number): Event => {
      const event = validationEvent(epoch);
      return { ...event, scores: { ...event.scores, loss: value, accuracy: value } };
    };
    const lines = async (metric: Metric, earlier: readonly Event[] = []) => {
      const to = screen(false);
      const events = [loss(1, 0.5), loss(2, 0.7), loss(3, 0.2), loss(4, Number.NaN)];
      await lastValueFrom(from(events).pipe(progress({ metric, earlier, to })));
      return to.written.map((line) => line.endsWith('best\n'));
    };
    assert.deepEqual(await lines('softDice'), [true, true, true, true]);
    assert.deepEqual(await lines('loss'), [true, false, true, false]);
    assert.deepEqual(await lines('accuracy'), [true, true, false, false]);
    assert.deepEqual(await lines('miou'), [true, false, false, false]);
    assert.deepEqual(await lines('loss', [loss(1, 0.3), loss(2, 0.4)]), [false, false, true, false]);

    const to = screen(false);
    await lastValueFrom(from(sampleRun()).pipe(progress({ metric: 'accuracy', to })));
    assert.match(to.written.at(-1)!, /best validation at epoch 1: .* accuracy 0\.8750, by accuracy\n$/);
  });

  it('says what trains', async () => {
    const line = async (changes: Partial<RunEvent>) =>
      (await show([runEvent(changes)], screen(false))).trimEnd();
    assert.equal(
      await line({ adapter: 'none', adapterParameters: 0, backboneParameters: 5_000_000 }),
      'lora_42  no adapter, 5,000,000 + 2,307 parameters (backbone + head), on cpu f32',
    );
    assert.equal(
      await line({ adapter: 'none', adapterParameters: 0 }),
      'lora_42  no adapter, 2,307 parameters (head), on cpu f32',
    );
  });
});
