import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../src/events/event.js';
import { lockFolder } from '../../src/files/folder-lock.js';
import { runEvent, sampleRun } from '../loggers/sample-run.js';
import { type SharedProcess, sharedProcess } from './run.js';

const text = (events: readonly Event[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');

describe('runs and compare', () => {
  let dir: string;
  let shared: SharedProcess;
  let release: () => void;
  before(() => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-runs-'));
    const whole = sampleRun();
    const config = { rank: 8, loraType: 'lora', lr: 0.01 };
    const localized = whole.map((event, i) =>
      i === 0
        ? runEvent({ run: 'localized', adapter: 'localized_lora', config, time: event.time + 60_000 })
        : event,
    );
    const logs: Record<string, string> = {
      whole: text(whole),
      localized: text(localized),
      killed: `${text(whole.slice(0, 8))}{"type":"ste`,
      live: text([runEvent({ run: 'live' })]),
      broken: `${text(whole.slice(0, 6))}no event\n${text(whole.slice(6))}`,
      headless: text(whole.slice(1)),
      'guard-stopped': text(
        whole.map((event) => (event.type === 'done' ? { ...event, reason: 'guard' } : event)),
      ),
    };
    for (const [name, events] of Object.entries(logs)) {
      mkdirSync(join(dir, 'logs', name), { recursive: true });
      writeFileSync(join(dir, 'logs', name, 'events.jsonl'), events);
    }
    mkdirSync(join(dir, 'logs', 'no-run'));
    release = lockFolder(join(dir, 'logs', 'live'));
  });
  after(() => {
    release();
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const json = async (...args: string[]) => {
    const { code, stdout } = await shared.run('runs', ['--json', ...args], dir);
    assert.equal(code, 0);
    return JSON.parse(stdout) as { name: string; state: string; epoch: number; problem: string | null }[];
  };

  it('tells the state of each, and what is wrong with damaged ones', async () => {
    const runs = new Map((await json()).map((run) => [run.name, run]));
    const states = Object.fromEntries([...runs].map(([name, { state }]) => [name, state]));
    assert.deepEqual(states, {
      whole: 'finished',
      localized: 'finished',
      killed: 'interrupted',
      live: 'running',
      broken: 'malformed',
      headless: 'malformed',
      'guard-stopped': 'diverged',
    });
    assert.equal(runs.get('killed')!.epoch, 1);
    assert.match(runs.get('broken')!.problem!, /events\.jsonl:7: expected an event, got no event/);
    assert.match(runs.get('headless')!.problem!, /expected a run event first/);
  });

  it('shows a table with parameters, scores, and how far each came; problems go to standard error', async () => {
    const { stdout, stderr } = await shared.run('runs', ['--sort', 'name'], dir);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 8);
    assert.match(
      lines[0]!,
      /^run +state +adapter +adapter parameters .*soft Dice +soft IoU +mIoU +when +time +engine$/,
    );
    assert.match(
      lines.at(-1)!,
      /^whole +finished +lora +1,536 +2,307 +3\/3 +test +0\.8000 +0\.6667 +0\.7500 .* 13 s +cpu f32$/,
    );
    assert.match(stderr, /^runs: broken: events\.jsonl:7: .*\nruns: headless: /);
  });

  it('sorts and filters by what the table shows, by scores and by settings', async () => {
    const names = async (...args: string[]) => (await json(...args)).map(({ name }) => name);
    assert.deepEqual(await names('--where', 'adapter=localized*'), ['localized']);
    assert.deepEqual(await names('--where', 'rank>=8,state=finished'), ['localized']);
    assert.deepEqual(await names('--where', 'softDice>0.7,name!=broken', '--sort', 'name'), [
      'guard-stopped',
      'localized',
      'whole',
    ]);
    assert.equal((await names('--sort', 'when'))[0], 'localized');
    const { code, stderr } = await shared.run('runs', ['--where', 'adaptr=lora'], dir);
    assert.equal(code, 1);
    assert.match(stderr, /--where adaptr: .*did you mean adapter\?/);
    const none = await shared.run('runs', ['--where', 'rank=99'], dir);
    assert.deepEqual([none.code, none.stdout], [0, '']);
    assert.match(none.stderr, /none of 7 runs is rank=99/);
  });

  it('says where it looked if there is no run', async () => {
    const { code, stderr } = await shared.run('runs', ['--log-dir', 'nowhere'], dir);
    assert.equal(code, 1);
    assert.match(stderr, /^runs: nowhere: expected folders of runs with events\.jsonl, got none/);
  });

  it('compares settings, scores and curves, and draws them', async () => {
    const args = ['whole', 'localized', '--output-dir', 'compared'];
    const { code, stdout, stderr } = await shared.run('compare', args, dir);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^rank +4 +8$/m);
    assert.match(stdout, /^lora-type +- +lora$/m);
    assert.match(stdout, /^test soft Dice +0\.8000 +0\.8000 +\+0\.0000$/m);
    assert.match(stdout, /^test Dice, pet +0\.8000/m);
    assert.match(stdout, /^Validation soft Dice +whole +0\.6000 → 0\.8000 +▁▄█$/m);
    for (const file of ['train-loss.svg', 'validation-loss.png', 'dice.svg'])
      assert.ok(existsSync(join(dir, 'compared', file)), file);
    const again = await shared.run('compare', args, dir);
    assert.match(again.stderr, /expected no file of an earlier run, got one; replace it with --overwrite/);
  });

  it('compares runs that are running, killed or damaged, by the path of their logs too', async () => {
    const { code, stdout, stderr } = await shared.run(
      'compare',
      ['live', 'killed', 'logs/broken', 'headless'],
      dir,
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^live +running/m);
    assert.match(stdout, /^Training loss .*\n +killed +0\.5000 → 0\.5000/m);
    assert.match(stderr, /compare: broken: events\.jsonl:7/);
  });

  it('names the nearest run, and asks for two', async () => {
    const wrong = await shared.run('compare', ['whole', 'localised'], dir);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /"localised": expected a run in logs, one of .*; did you mean localized\?/);
    const path = await shared.run('compare', ['whole', './logs/no-run'], dir);
    assert.match(
      path.stderr,
      /\.\/logs\/no-run: expected a run's folder of logs, got one without events\.jsonl/,
    );
    const one = await shared.run('compare', ['whole'], dir);
    assert.match(one.stderr, /expected two or more runs, such as compare A B, got whole/);
  });

  it('lists runs of which only checkpoints are left, even damaged ones', async () => {
    mkdirSync(join(dir, 'models', 'lost', 'step-00000004'), { recursive: true });
    writeFileSync(join(dir, 'models', 'lost', 'step-00000004', 'checkpoint.json'), '{');
    appendFileSync(join(dir, 'models', 'note.txt'), 'no run');
    const lost = (await json()).find(({ name }) => name === 'lost')!;
    assert.equal(lost.state, 'malformed');
    assert.match(lost.problem!, /checkpoint\.json: expected a checkpoint/);
  });
});
