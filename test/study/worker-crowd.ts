import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place } from '../../bench/places.js';
import { loadStudy } from '../../src/study/create-study.js';
import { MAX_RETRIES, retryHistory } from '../../src/study/retry-trial.js';
import type { FrozenTrial } from '../../src/study/trials/frozen-trial.js';
import { start } from '../recipes/run.js';
import { middle } from './sampler.js';

export interface Crowd {
  readonly workers: number;
  readonly trials: number;
  /** Milliseconds between two kills; the killed worker is replaced at once. */
  readonly killEvery: number;
  readonly kills: number;
  /** Milliseconds that a trial takes. */
  readonly work?: number;
  /** A module in place of one that works so long; of x and n it makes x² + n², and reports x. */
  readonly objective?: string;
  /** Seconds, in which a trial is found stale after two. */
  readonly heartbeat: number;
  readonly sampler?: string;
}

/**
 * Lets worker processes share a study while some are killed (SIGKILL) and replaced, and checks what is left: all have
 * ended by themselves, numbers are unique and without a gap, exactly as many trials as wanted are COMPLETE, nothing is
 * RUNNING or WAITING, and each trial that failed was a dead worker's, and was retried once, with its parameters, unless
 * it had been retried as often as trials are.
 */
export async function crowd(place: Place, options: Crowd): Promise<{ failed: number; killed: number }> {
  const { workers, trials, killEvery, kills, work = 0, heartbeat, sampler = 'random' } = options;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-crowd-'));
  writeFileSync(
    join(folder, 'objective.mjs'),
    options.objective ??
      `export default async (trial) => {
      const x = trial.suggestFloat('x', -10, 10);
      const n = trial.suggestInt('n', -10, 10);
      await new Promise((done) => setTimeout(done, ${work}));
      await trial.report(x, 1);
      return x ** 2 + n ** 2;
    };`,
  );
  const args = [
    '--objective=objective.mjs',
    '--study-name=crowd',
    `--storage=${place.url}`,
    `--n-trials=${trials}`,
    `--heartbeat=${heartbeat}`,
    `--sampler=${sampler}`,
    '--pruner=none',
  ];
  const alive = new Set<ChildProcess>();
  const ends: Promise<void>[] = [];
  let killed = 0;
  /** One has found the study complete: those that are left may see so, too. */
  let over = false;
  const hire = () => {
    const { process: child, ended } = start('worker', args, folder);
    alive.add(child);
    const end = ended.then(({ code, signal, stderr }) => {
      alive.delete(child);
      assert(code === 0 || signal === 'SIGKILL', `a worker ended with ${code}: ${stderr}`);
      if (signal === 'SIGKILL') {
        killed++;
        hire();
      } else over = true;
    });
    end.catch(() => {});
    ends.push(end);
  };
  for (let i = 0; i < workers; i++) hire();
  let left = kills;
  const killer = setInterval(() => {
    const victims = [...alive];
    if (!over && left-- > 0) victims[Math.floor(Math.random() * victims.length)]?.kill('SIGKILL');
  }, killEvery);
  try {
    for (let i = 0; i < ends.length; i++) await ends[i];
  } finally {
    clearInterval(killer);
    for (const child of alive) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }

  const study = await loadStudy({ storage: place.url, studyName: 'crowd', sampler: middle });
  const all = await study.trials();
  await study.close();
  checkTrials(all, trials);
  return { failed: all.filter(({ state }) => state === 'FAIL').length, killed };
}

function checkTrials(all: readonly FrozenTrial[], wanted: number): void {
  assert.deepEqual(
    all.map(({ number }) => number),
    all.map((_, i) => i),
  );
  const complete = all.filter(({ state }) => state === 'COMPLETE');
  const failed = all.filter(({ state }) => state === 'FAIL');
  assert.deepEqual([complete.length, complete.length + failed.length], [wanted, all.length]);
  for (const { values, params, intermediateValues } of complete) {
    const { x, n } = params as { x: number; n: number };
    assert.deepEqual([values, intermediateValues.get(1)], [[x ** 2 + n ** 2], x]);
  }
  for (const trial of failed) {
    const { number, params, systemAttrs } = trial;
    const history = retryHistory(trial);
    assert.match(String(systemAttrs.fail_reason), /^its process was not heard of/);
    const retries = all.filter((other) => retryHistory(other).at(-1) === number);
    const expected = history.length < MAX_RETRIES ? 1 : 0;
    assert.equal(retries.length, expected, `trial ${number} was retried ${retries.length} times`);
    for (const [name, value] of Object.entries(params))
      for (const retry of retries) assert.equal(retry.params[name], value);
  }
}
