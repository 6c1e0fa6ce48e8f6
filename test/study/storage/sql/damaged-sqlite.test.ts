import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { createStudy, loadStudy } from '../../../../src/study/create-study.js';
import { middle } from '../../sampler.js';

describe('a damaged SQLite study', () => {
  let dir: string;
  let path: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    path = join(dir, 'study.db');
    const study = await createStudy({ ...options(), studyName: 'here' });
    for (let i = 0; i < 10; i++) {
      const trial = await study.ask();
      trial.suggestFloat('x', 0, 1);
      trial.setUserAttr('note', 'plain text');
      await trial.report(i, 0);
      await study.tell(trial, i);
    }
    await study.close();
  });
  after(() => rmSync(dir, { recursive: true }));
  const options = (file = path) => ({ storage: `sqlite:///${file}`, sampler: middle });
  /** Reads the study as changed. */
  const read = async (change: (file: InstanceType<typeof DatabaseSync>) => void) => {
    const copy = join(dir, 'copy.db');
    writeFileSync(copy, readFileSync(path));
    const file = new DatabaseSync(copy);
    change(file);
    file.close();
    const study = await loadStudy(options(copy));
    try {
      return await study.trials();
    } finally {
      await study.close();
    }
  };
  const refuses = (statement: string, message: RegExp) =>
    assert.rejects(
      read((file) => file.exec(statement)),
      { name: 'UserError', message },
    );

  for (const [what, statement, message] of [
    [
      'a byte that is no UTF-8',
      `update trial_user_attributes set value_json = cast(x'22ff22' as text) where trial_id = 4`,
      /copy\.db: it cannot be read \(.*encoded data was not valid.*\); the database is damaged: restore it/,
    ],
    [
      'JSON that is none',
      `update trial_user_attributes set value_json = '{' where trial_id = 4`,
      /copy\.db: trial 3 \(id 4\) cannot be read \(.*JSON.*\); the database is damaged/,
    ],
    [
      'JSON that is none, in lines of its own',
      `update trial_user_attributes set value_json = '[' || char(10) || 'x]' where trial_id = 4`,
      /^[^\n]*copy\.db: trial 3 \(id 4\) cannot be read \(.*JSON[^\n]*$/,
    ],
    [
      'a distribution without attributes',
      `update trial_params set distribution_json = '{"name": "FloatDistribution"}' where trial_id = 4`,
      /copy\.db: trial 3 \(id 4\) cannot be read \(distribution .*its attributes are not those of one\)/,
    ],
    [
      'a state that is none',
      `update trials set state = 'COMPLETF' where trial_id = 4`,
      /its state is COMPLETF/,
    ],
    [
      'a date that is none',
      `update trials set datetime_start = 'soon' where trial_id = 4`,
      /expected a date, got/,
    ],
    [
      'a value that is text',
      `update trial_values set value = 'x' where trial_id = 4`,
      /a value is x, said to be/,
    ],
    [
      'a step that is none',
      `update trial_intermediate_values set step = 0.5 where trial_id = 4`,
      /a step is 0\.5/,
    ],
    [
      'a number beyond all numbers',
      `update trials set number = 9223372036854775807`,
      /too large to be represented/,
    ],
    [
      'a direction that is none',
      `update study_directions set direction = 'UP'`,
      /study "here" cannot be read/,
    ],
    [
      'a column that is gone',
      'alter table trial_values drop column value',
      /no such column|value is undefined/,
    ],
  ] as const)
    it(`that holds ${what} is refused in a line with its path`, () => refuses(statement, message));

  it('keeps letters that stand for others, where they were written so', async () => {
    const trials = await read((file) =>
      file.exec(`update trial_user_attributes set value_json = '"${'\ufffd'}"' where trial_id = 4`),
    );
    assert.equal(trials[3]!.userAttrs.note, '\ufffd');
  });

  it('never ends the process, whichever byte is changed', async () => {
    const whole = readFileSync(path);
    const copy = join(dir, 'bytes.db');
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const bytes = Buffer.from(whole);
      for (let at = i * 7; at < bytes.length; at += 1500 + i) bytes[at] = 255 - i;
      writeFileSync(copy, bytes);
      try {
        const study = await loadStudy(options(copy));
        await study.trials().finally(() => study.close());
      } catch (error) {
        assert.equal((error as Error).name, 'UserError', (error as Error).stack);
        assert.match((error as Error).message, /bytes\.db/);
        refused++;
      }
      for (const end of ['-wal', '-shm']) rmSync(copy + end, { force: true });
    }
    assert(refused > 10, `${refused} were refused`);
  });
});
