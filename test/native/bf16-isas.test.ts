import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { packageRoot } from '../../src/base/package.js';
import { needOnednn } from './onednn.js';

const FILES = ['attention', 'convolution'].map((name) => `test/native/${name}.test.ts`);

describe('attention and convolutions in bf16 on other instruction sets', () => {
  before(needOnednn);

  // `none` is no instruction set of theirs: products of oneDNN's.
  for (const isa of ['none', 'avx512bf16'])
    it(`${isa}: are those in f32, too`, () => {
      const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--require', 'test/hooks.ts'];
      const { status, stdout } = spawnSync(
        process.execPath,
        ['--import', 'tsx', ...mocha, '--timeout', '600000', ...FILES],
        { cwd: packageRoot, encoding: 'utf8', env: { ...process.env, MILLRACE_ONEDNN_ISA: isa } },
      );
      assert.equal(status, 0, stdout);
    });
});
