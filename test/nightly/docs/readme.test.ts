import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../recipes/run.js';

describe("README's main command", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-readme-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('trains, and names its scores and files', async () => {
    const { code, stdout, stderr } = await run('train-localized', [], dir);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /images\/s/);
    for (const path of ['models', 'logs', 'plots']) assert.ok(existsSync(join(dir, path)), path);
    const [, softDice] = /test +soft Dice (0\.\d+)/.exec(stdout)!;
    assert.ok(Number(softDice) > 0.5, stdout);
  });
});
