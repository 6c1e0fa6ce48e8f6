import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadStudy } from '../../../src/study/create-study.js';
import { middle } from '../../study/sampler.js';

describe('a journal beyond what a string of Node holds', () => {
  let path: string;
  before(() => {
    path = join(mkdtempSync(join(tmpdir(), 'millrace-journal-')), 'study.log');
  });
  beforeEach(() =>
    writeFileSync(path, '{"op_code": 0, "worker_id": "w", "study_name": "long", "directions": [1]}\n'),
  );
  after(() => rmSync(join(path, '..'), { recursive: true }));
  const load = () => loadStudy({ storage: `journal://${path}`, sampler: middle });

  it('is read in pieces', async () => {
    const text = 'x'.repeat(1_000_000);
    for (let i = 0; i < 600; i++)
      appendFileSync(
        path,
        `{"op_code": 2, "worker_id": "w", "study_id": 0, "user_attr": {"note": "${i}${text}"}}\n`,
      );
    const study = await load();
    assert.equal(((await study.userAttrs())['note'] as string).slice(0, 4), '599x');
    await study.close();
  });

  it('is refused by its line where one line alone is', async () => {
    appendFileSync(path, '{"op_code": 2, "user_attr": "');
    truncateSync(path, 2 ** 29);
    appendFileSync(path, '"}\n');
    await assert.rejects(load(), {
      name: 'UserError',
      message: /study\.log, line 2: expected an operation .* \(it is longer than 256 MiB\); /,
    });
  });
});
