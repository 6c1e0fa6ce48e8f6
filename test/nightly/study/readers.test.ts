import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { middle } from '../../study/sampler.js';
import { readMutated } from '../mutate.js';

describe('readers of studies, on mutated inputs', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** A study with what a study can hold; the bytes of its file. */
  const made = async (url: string, path: string): Promise<Buffer> => {
    const study = await createStudy({ storage: url, studyName: 'here', sampler: middle });
    study.setUserAttr('about', { a: [1, 'b'] });
    await study.enqueueTrial({ x: 0.5 });
    for (let i = 0; i < 4; i++) {
      const trial = await study.ask();
      trial.suggestFloat('x', 0, 1);
      trial.suggestInt('n', 1, 8, { log: true });
      trial.suggestCategorical('c', ['a', null, 2]);
      trial.setUserAttr('note', 'text');
      await trial.report(i === 1 ? Number.NaN : i, 0);
      await (i === 2 ? study.tell(trial, undefined, { state: 'FAIL' }) : study.tell(trial, i));
    }
    await study.ask();
    await study.close();
    return readFileSync(path);
  };
  /** Opens the study in a file of such bytes, reads it, and goes on with it. */
  const goOn = async (url: string, path: string, bytes: Buffer) => {
    // In a file of its own: the driver keeps one that is closed open until its statements are collected.
    for (const end of ['', '-wal', '-shm', '.lock']) rmSync(path + end, { force: true });
    writeFileSync(path, bytes);
    const study = await loadStudy({ storage: url, sampler: middle });
    try {
      await study.trials();
      const trial = await study.ask();
      trial.suggestFloat('x', 0, 1);
      await study.tell(trial, 1);
    } finally {
      await study.close();
    }
  };

  for (const [name, scheme] of [
    ['journal', 'journal://'],
    ['SQLite', 'sqlite:///'],
  ] as const)
    it(name, async () => {
      const path = join(dir, 'study');
      const url = `${scheme}${path}`;
      const whole = await made(url, path);
      await readMutated(name, [whole], (bytes) => goOn(url, path, bytes));
    });
});
