import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type Python } from '../../../bench/peers/python.js';
import { createStudy } from '../../../src/study/create-study.js';
import { RandomSampler } from '../../../src/study/samplers/random.js';
import { needsPlace } from '../../study/databases.js';
import { needsPython } from '../python.js';
import { storagesOf } from './requirements.js';

/** What optuna-dashboard's HTTP API answers. */
interface Shown {
  readonly directions: string[];
  readonly trials: readonly {
    readonly number: number;
    readonly state: string;
    readonly values?: (number | string)[];
    readonly params: readonly { readonly name: string; readonly param_external_value: string }[];
    readonly intermediate_values: readonly { readonly step: number; readonly value: number | string }[];
  }[];
}

describe('optuna-dashboard', () => {
  let python: Python;
  before(async function () {
    python = await needsPython(this, 'optuna-storages-4.9.0', storagesOf('4.9.0'));
  });

  for (const name of ['sqlite', 'postgresql'])
    it(`serves a study on ${name}`, async function () {
      const place = await needsPlace(this, name);
      const study = await createStudy({
        storage: place.url,
        studyName: 'shown',
        direction: 'maximize',
        sampler: new RandomSampler({ seed: 1 }),
      });
      await study.optimize(
        async (trial) => {
          await trial.report(trial.number === 1 ? Number.NaN : 0.5, 3);
          return (
            trial.suggestFloat('x', 0, 1) + (trial.suggestCategorical('kind', ['a', 'b']) === 'a' ? 1 : 0)
          );
        },
        { trials: 3 },
      );
      const trials = await study.trials();
      await study.close();

      const port = await freePort();
      const program = join(dirname(python.path), 'optuna-dashboard');
      const url = place.url.replace('postgresql:', 'postgresql+psycopg2:');
      const server = spawn(program, [url, '--port', String(port)], { stdio: 'ignore' });
      try {
        const get = async (path: string) => (await answer(`http://127.0.0.1:${port}${path}`)) as unknown;
        const { study_summaries: studies } = (await get('/api/studies')) as {
          study_summaries: { study_id: number; study_name: string }[];
        };
        assert.deepEqual(
          studies.map(({ study_name }) => study_name),
          ['shown'],
        );
        const shown = (await get(`/api/studies/${studies[0]!.study_id}`)) as Shown;
        assert.deepEqual(shown.directions, ['maximize']);
        assert.deepEqual(
          shown.trials.map(({ number, state, values }) => [number, state, values]),
          trials.map(({ number, values }) => [number, 'Complete', values]),
        );
        for (const [i, { params, intermediate_values }] of shown.trials.entries()) {
          const named = Object.fromEntries(params.map((param) => [param.name, param.param_external_value]));
          assert.equal(named['kind'], trials[i]!.params['kind']);
          assert(Math.abs(Number(named['x']) - (trials[i]!.params['x'] as number)) < 1e-12);
          assert.deepEqual(intermediate_values, [{ step: 3, value: i === 1 ? 'nan' : 0.5 }]);
        }
      } finally {
        server.kill();
        await place.remove();
      }
    });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** JSON of a server that may still be starting. */
async function answer(url: string): Promise<unknown> {
  for (let attempt = 0; ; attempt++)
    try {
      const response = await fetch(url);
      assert.equal(response.status, 200, url);
      return await response.json();
    } catch (error) {
      if (attempt === 600 || error instanceof assert.AssertionError) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
}
