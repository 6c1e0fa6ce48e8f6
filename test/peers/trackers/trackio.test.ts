import assert from 'node:assert/strict';
import type { Python } from '../../../bench/peers/python.js';
import type { Event } from '../../../src/events/event.js';
import type { RunEnd } from '../../../src/loggers/logger.js';
import { trackio } from '../../../src/loggers/trackio.js';
import { log, withFolder } from '../../loggers/log.js';
import { runEvent, sampleRun } from '../../loggers/sample-run.js';
import { needsPython } from '../python.js';
import { READERS } from './requirements.js';

interface Read {
  readonly name: string;
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly alerts: readonly string[];
}

describe("trackio's own reader", () => {
  let python: Python;
  const outside = process.env['TRACKIO_DIR'];
  before(async function () {
    python = await needsPython(this, 'trackers', READERS);
  });
  afterEach(() => {
    if (outside === undefined) delete process.env['TRACKIO_DIR'];
    else process.env['TRACKIO_DIR'] = outside;
  });

  const script = new URL('read_trackio.py', import.meta.url);
  const losses = Array.from({ length: 12 }, (_, i) => [i + 1, 1 / (i + 1)]);
  const lossesOf = ({ logs }: Read) =>
    logs.filter((row) => 'train/loss' in row).map((row) => [row['step'], row['train/loss']]);

  for (const [first, order] of [
    ['ours', ['ours', 'python']],
    ["trackio's", ['python', 'ours']],
  ] as const)
    it(`reads runs in a file that is first ${first}, also after a resume`, () =>
      withFolder(async (dir) => {
        process.env['TRACKIO_DIR'] = dir;
        const ours = async (events: readonly Event[], earlier: readonly Event[], end: RunEnd) => {
          const logger = trackio({ project: 'pets' })({ logs: `${dir}/logs`, earlier });
          await log(logger, events, { close: false });
          await logger.close!(end);
        };
        const whole = sampleRun();
        for (const whose of order)
          if (whose === 'python') await python.text(script, ['log', 'pets']);
          else await ours(whole.slice(0, 10), [], 'stopped');
        await ours([runEvent(), ...whole.slice(8)], whole.slice(0, 8), 'failed');

        const runs = await python.json<Read[]>(script, ['read', 'pets']);
        const byName = Object.fromEntries(runs.map((run) => [run.name, run]));
        assert.deepEqual(Object.keys(byName).toSorted(), ['lora_42', 'of-python']);
        assert.equal(runs.length, 2);
        assert.deepEqual(lossesOf(byName['lora_42']!), losses);
        assert.deepEqual(lossesOf(byName['of-python']!), [[1, 0.5]]);
        assert.equal(byName['lora_42']!.config['rank'], 4);
        assert.deepEqual(byName['lora_42']!.alerts, ['error']);
      }));
});
