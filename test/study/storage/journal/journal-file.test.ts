import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalStorage } from '../../../../src/study/storage/journal/journal-storage.js';

describe('a journal', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    path = join(dir, 'study.log');
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const begun = async () => {
    const storage = new JournalStorage(path);
    const study = await storage.createStudy('here', ['minimize']);
    await storage.createTrial(study);
    return { storage, study };
  };

  const STUDY = '{"op_code": 0, "study_name": "here", "directions": [1]}';
  const TRIAL = '{"op_code": 4, "study_id": 0, "datetime_start": "2026-01-01T00:00:00"}';
  const param = (distribution: string) =>
    `{"op_code": 5, "trial_id": 0, "param_name": "x", "param_value_internal": 1, "distribution": ${distribution}}`;
  for (const [what, line, fault] of [
    ['JSON that is no object', '[1]', 'it is not an object'],
    ['null', 'null', 'it is not an object'],
    ['an unknown operation', '{"op_code": 57}', 'its op_code is 57'],
    ['an operation of another type', '{"op_code": "0"}', 'its op_code is "0"'],
    ['no JSON', '{"op_code": 0, ', 'Expected'],
    ['no directions', '{"op_code": 0, "study_name": "b"}', 'its directions is undefined'],
    ['attributes that are text', '{"op_code": 2, "study_id": 0, "user_attr": "a"}', 'its user_attr is "a"'],
    [
      'attributes that are a list',
      '{"op_code": 9, "trial_id": 0, "system_attr": [1]}',
      'its system_attr is [1]',
    ],
    [
      'a date that is none',
      '{"op_code": 4, "study_id": 0, "datetime_start": "soon"}',
      'its datetime_start is "soon"',
    ],
    ['a state that is none', '{"op_code": 6, "trial_id": 0, "state": 7, "values": null}', 'its state is 7'],
    [
      'a value that is text',
      '{"op_code": 6, "trial_id": 0, "state": 1, "values": ["1"]}',
      'its values is ["1"]',
    ],
    [
      'a negative step',
      '{"op_code": 7, "trial_id": 0, "step": -1, "intermediate_value": 1}',
      'its step is -1',
    ],
    ['a distribution that is no text', param('5'), 'its distribution is 5'],
    [
      'a distribution without attributes',
      param('"{\\"name\\": \\"FloatDistribution\\"}"'),
      'its attributes are not',
    ],
    ['a distribution that is no JSON, in lines of its own', param('"[\\nx]"'), 'Unexpected token'],
    ['a distribution that is null', param('"null"'), 'its attributes are not'],
    [
      'a parameter without its distribution',
      '{"op_code": 4, "study_id": 0, "params": {"x": 1}}',
      'parameter "x" has no distribution',
    ],
  ] as const)
    it(`names file and line of ${what}`, () => {
      writeFileSync(path, `${STUDY}\n${TRIAL}\n${line}\n`);
      assert.throws(
        () => new JournalStorage(path),
        (error: Error) => {
          assert.equal(error.name, 'UserError');
          assert(
            error.message.startsWith(
              `journal ${path}, line 3: expected an operation of Optuna's journal, got`,
            ),
          );
          assert(error.message.includes(`(${fault}`) || error.message.includes(fault), error.message);
          return !error.message.includes('\n');
        },
      );
    });

  it('says that it was removed, replaced, shortened or written anew under a running study', async () => {
    for (const [change, message] of [
      [() => rmSync(path), /study\.log: it was removed while this study used it; restore the file/],
      [() => truncateSync(path, 30), /study\.log: it was shortened while/],
      [() => writeFileSync(path, 'x'.repeat(9999)), /study\.log: it was written anew while/],
      [
        () => {
          writeFileSync(join(dir, 'other'), readFileSync(path));
          renameSync(join(dir, 'other'), path);
        },
        /study\.log: another file has taken its place while/,
      ],
    ] as const) {
      const { storage, study } = await begun();
      change();
      await assert.rejects(storage.createTrial(study), { name: 'UserError', message });
      await assert.rejects(storage.findStudy('here'), { name: 'UserError', message });
      await storage.close();
      rmSync(path, { force: true });
    }
  });

  it('holds no file open where it is refused', () => {
    writeFileSync(path, 'x');
    const handles = () => readdirSync('/dev/fd').length;
    const before = handles();
    for (let i = 0; i < 5; i++) assert.throws(() => new JournalStorage(path), { name: 'UserError' });
    assert.equal(handles(), before);
  });

  it('reports that its folder is gone', async () => {
    const { storage, study } = await begun();
    renameSync(dir, `${dir}-away`);
    await assert.rejects(storage.createTrial(study), {
      name: 'UserError',
      message: /^journal .*study\.log: .*but ENOENT/,
    });
    renameSync(`${dir}-away`, dir);
    await storage.close();
  });

  it('is read in parts, and may have lines that are longer than one', async function () {
    const { storage, study } = await begun();
    const long = 'ü'.repeat(9 * 2 ** 20);
    await storage.setStudyAttr(study, 'user', 'a', long);
    await storage.setStudyAttr(study, 'user', 'b', 1);
    appendFileSync(path, '{"op_code": 2, "stu');
    await storage.close();
    const again = new JournalStorage(path);
    const { userAttrs } = (await again.findStudy('here'))!;
    assert(userAttrs.a === long && userAttrs.b === 1);
    await again.createTrial(study);
    await again.close();
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.deepEqual([lines.length, lines.at(-1)], [6, '']);
  });
});
