import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StudyView } from '../../src/dashboard/study-protocol.js';
import { createStudy, loadStudy } from '../../src/study/create-study.js';
import { sampleRun } from '../loggers/sample-run.js';
import { sampleStudy } from './sample-study.js';
import { Served } from './served.js';

describe('dashboard: studies', () => {
  const served = new Served();
  const storage = `sqlite:///${join(served.dir, 'study.db')}`;
  before(() => served.log('whole', sampleRun()));
  afterEach(() => served.stop());
  after(() => served.close());

  it('has none without a storage, and makes no file for one', async () => {
    await served.start();
    assert.deepEqual(await (await served.get('/api/studies')).json(), []);
    const other = new Served();
    other.log('whole', sampleRun());
    await assert.rejects(
      other.start({ storage }),
      /--storage sqlite:.*: expected the storage of a study, got no file/,
    );
    assert.equal(existsSync(join(served.dir, 'study.db')), false);
    other.close();
  });

  it('shows trials of every state, with parameters, reports, reasons, runs and importances', async () => {
    await sampleStudy(storage, 'whole');
    await served.start({ storage });
    assert.deepEqual(await (await served.get('/api/studies')).json(), ['hills']);
    const view = (await (await served.get('/api/studies/hills')).json()) as StudyView;
    assert.deepEqual(view.directions, ['maximize']);
    assert.deepEqual(view.axes, [
      { name: 'x', choices: null, low: 1e-4, high: 1, log: true },
      { name: 'kind', choices: ['a', 'b'], low: 0, high: 1, log: false },
    ]);
    assert.equal(view.trials.length, 14);
    const [first] = view.trials;
    assert.equal(first!.run, 'whole');
    assert.deepEqual(first!.intermediate.steps, [1, 2, 3]);
    assert.deepEqual(
      view.trials.slice(11).map(({ state, reason }) => [state, reason]),
      [
        ['COMPLETE', null],
        ['FAIL', 'out of memory'],
        ['PRUNED', null],
      ],
    );
    const total = view.importances.reduce((sum, [, importance]) => sum + importance, 0);
    assert.ok(Math.abs(total - 1) < 1e-9);
    assert.equal(view.importances[0]![0], 'x');
    assert.equal((await served.get('/api/studies/none')).status, 404);
  });

  it('follows a study that another connection continues', async () => {
    await served.start({ storage });
    const states = async () => {
      const { trials } = (await (await served.get('/api/studies/hills')).json()) as StudyView;
      return trials.slice(14).map(({ state }) => state);
    };
    assert.deepEqual(await states(), []);
    const study = await loadStudy({ storage, studyName: 'hills' });
    const trial = await study.ask();
    trial.suggestFloat('x', 1e-4, 1, { log: true });
    await trial.flush();
    assert.deepEqual(await states(), ['RUNNING']);
    await study.tell(trial, 0.5);
    assert.deepEqual(await states(), ['COMPLETE']);
    await study.close();
  });

  it('makes no file beside a study that nobody works on, and sees one that someone goes on with', async () => {
    const folder = join(served.dir, 'still');
    mkdirSync(folder);
    const file = join(folder, 'study.db');
    const still = `sqlite:///${file}`;
    // In a process of its own, which leaves no log behind.
    const make = `import { createStudy } from ${JSON.stringify(new URL('../../src/study/create-study.ts', import.meta.url).href)};
      const study = await createStudy({ storage: ${JSON.stringify(still)}, studyName: 'still' });
      await study.optimize(() => 1, { trials: 2 });
      await study.close();`;
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', make]);
    for (const name of readdirSync(folder)) if (name !== 'study.db') rmSync(join(folder, name));
    const bytes = readFileSync(file);
    await served.start({ storage: still });
    const count = async () => {
      const { trials } = (await (await served.get('/api/studies/still')).json()) as StudyView;
      return trials.length;
    };
    assert.equal(await count(), 2);
    assert.deepEqual(readdirSync(folder), ['study.db']);
    const study = await loadStudy({ storage: still, studyName: 'still' });
    await study.optimize(() => 2, { trials: 1 });
    assert.equal(await count(), 3);
    await study.close();
    await served.stop();
    assert.ok(!readFileSync(file).equals(bytes));
  });

  it('says why there are no importances', async () => {
    const study = await createStudy({ storage, studyName: 'empty' });
    await study.close();
    await served.start({ storage });
    const view = (await (await served.get('/api/studies/empty')).json()) as StudyView;
    assert.match(view.unexplained!, /expected at least two COMPLETE trials, got 0/);
  });
});
