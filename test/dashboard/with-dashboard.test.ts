import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { flags } from '../../src/cli/flags.js';
import type { RunRow } from '../../src/dashboard/protocol.js';
import type { StudyView } from '../../src/dashboard/study-protocol.js';
import { dashboardFlag } from '../../src/experiment/dashboard-flag.js';
import { run, start } from '../recipes/run.js';
import { tinyBackbone } from '../recipes/trained.js';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('--dashboard', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-with-dashboard-'));
  const train = ['--epochs', '2', '--data-percentage', '0.05', '--batch-size', '2', '--engine', 'cpu'];
  before(async () => void (await tinyBackbone(join(dir, 'vit'))));
  after(() => rmSync(dir, { recursive: true }));

  it('serves the runs while a recipe trains, and ends with it', async () => {
    const port = await freePort();
    const args = ['--model-name', 'vit', ...train, '--epochs', '10000', '--dashboard', String(port)];
    const running = start('train-lora', args, dir);
    let said = '';
    running.process.stderr!.on('data', (text: string) => {
      said += text;
    });
    const address = `http://127.0.0.1:${port}/`;
    while (!said.includes(`dashboard: ${address}\n`)) {
      assert.equal(running.process.exitCode, null, said);
      await once(running.process.stderr!, 'data');
    }
    for (;;) {
      const { runs } = (await (await fetch(`${address}api/runs`)).json()) as { runs: RunRow[] };
      if (runs[0]?.state === 'running' && runs[0].step > 0) break;
    }
    running.process.kill('SIGTERM');
    assert.equal((await running.ended).code, 143);
    await assert.rejects(fetch(address));
  });

  it('leaves the training alone where its port is taken, and no trace in what a run records', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = ['--model-name', 'vit', ...train, '--run-name', 'taken', `--dashboard=${port}`];
    const { code, stderr } = await run('train-lora', args, dir);
    server.close();
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /--dashboard: --port: expected a free port, got \d+, which is taken;.* the work goes on without it/,
    );
    assert.doesNotMatch(readFileSync(join(dir, 'logs', 'taken', 'events.jsonl'), 'utf8'), /"dashboard":/);
  });

  it('serves a study while a worker runs it', async () => {
    const port = await freePort();
    const objective = `export default async (trial) => {
      const x = trial.suggestFloat('x', 0, 1);
      await new Promise((go) => setTimeout(go, 50));
      return x;
    };\n`;
    writeFileSync(join(dir, 'objective.mjs'), objective);
    const args = [
      '--objective',
      './objective.mjs',
      '--study-name',
      'hills',
      '--n-trials',
      '100000',
      '--dashboard',
    ];
    const running = start('worker', [...args, String(port)], dir);
    const address = `http://127.0.0.1:${port}/`;
    for (;;) {
      assert.equal(running.process.exitCode, null);
      const answer = await fetch(`${address}api/studies/hills`).catch(() => undefined);
      const view = answer?.ok ? ((await answer.json()) as StudyView) : undefined;
      if (view?.trials.some(({ state }) => state === 'COMPLETE')) break;
      await new Promise((go) => setTimeout(go, 100));
    }
    running.process.kill('SIGTERM');
    assert.equal((await running.ended).code, 143);
    assert.ok(existsSync(join(dir, 'study.db')));
  });

  it('is a switch, or has a port', () => {
    const about = { name: 'train', description: '', usage: '' };
    const asked = (...argv: string[]) => {
      const read = flags(argv, { Run: { dashboard: dashboardFlag, rank: z.int().default(4) } }, about);
      return 'show' in read ? undefined : [read.config.dashboard, read.config.rank];
    };
    assert.deepEqual(asked(), [false, 4]);
    assert.deepEqual(asked('--dashboard'), [true, 4]);
    assert.deepEqual(asked('--dashboard', '--rank', '8'), [true, 8]);
    assert.deepEqual(asked('--dashboard', '8080', '--rank', '8'), [8080, 8]);
    assert.deepEqual(asked('--dashboard=8080'), [8080, 4]);
    assert.throws(() => asked('--rank'), /--rank: expected .*, got nothing/);
  });

  it('refuses what is no port', async () => {
    const { code, stderr } = await run('train-lora', ['--dashboard', 'soon'], dir);
    assert.equal(code, 1);
    assert.match(stderr, /--dashboard: expected .*, got "soon"/);
  });
});
