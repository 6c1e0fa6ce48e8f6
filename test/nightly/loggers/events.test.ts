import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoneEvent } from '../../../src/events/event.js';
import { earlierEvents, readEvents } from '../../../src/events/read-events.js';
import { csv } from '../../../src/loggers/metrics-csv.js';
import { summarize } from '../../../src/loggers/summary.js';
import { tensorBoard } from '../../../src/loggers/tensor-board.js';
import type { Random } from '../../../src/random/random-stream.js';
import { toSvg } from '../../../src/report/render.js';
import { runPlots } from '../../../src/report/run-plots.js';
import { log } from '../../loggers/log.js';
import { runEvent, sampleRun } from '../../loggers/sample-run.js';
import { mutated, tryMutated, withHostileValue } from '../mutate.js';

/** How often accepted events are drawn, too: Vega takes a third of a second. */
const DRAWN = 1 / 200;

const done: DoneEvent = { type: 'done', time: 2e12, reason: 'finished', step: 12, epoch: 3, seconds: 1 };

describe('events of an earlier run, mutated', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  const whole = sampleRun().map((event) => JSON.stringify(event));

  /** Bytes are changed, or a value in one of the events, or lines are lost, doubled or exchanged. */
  const change = (random: Random): Buffer => {
    const at = () => Math.floor(random() * whole.length);
    const lines = [...whole];
    const kind = random();
    if (kind < 0.3) return mutated(Buffer.from(`${lines.join('\n')}\n`), random);
    if (kind < 0.8) {
      const line = at();
      lines[line] = JSON.stringify(JSON.parse(withHostileValue(lines[line]!, random)));
    } else if (kind < 0.9) lines.splice(at(), Math.floor(random() * 9), lines[at()]!);
    else [lines[at()], lines[at()]] = [lines[at()]!, lines[at()]!];
    return Buffer.from(`${lines.join('\n')}\n`);
  };

  it('are refused by name, or summed up, drawn and logged', async () => {
    const path = join(dir, 'events.jsonl');
    const { read, refused } = await tryMutated('events.jsonl', async (random) => {
      writeFileSync(path, change(random));
      const events = await readEvents(path);
      const earlier = await earlierEvents(dir, 8);
      for (const one of [events, earlier]) {
        summarize(one);
        const plots = Object.values(runPlots(one));
        if (random() < DRAWN) for (const plot of plots) await toSvg(plot);
        for (const logger of [csv(), tensorBoard()])
          await log(logger({ logs: dir, earlier: one }), [runEvent(), done]);
      }
    });
    assert(read > 0 && refused > 0);
  });
});
