import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { packageRoot } from '../../src/base/package.js';
import { needOnednn } from './onednn.js';

const ISAS: Readonly<Record<string, readonly string[]>> = {
  x64: ['base', 'avx2', 'avx512vnni'],
  arm64: ['base', 'dotprod'],
};

describe('products in integers on other instruction sets', () => {
  before(needOnednn);

  for (const isa of ISAS[process.arch] ?? ['base'])
    it(`${isa}: are those of the scalar reference, too`, () => {
      const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--require', 'test/hooks.ts'];
      const { status, stdout } = spawnSync(
        process.execPath,
        ['--import', 'tsx', ...mocha, '--timeout', '600000', 'test/native/integers.test.ts'],
        { cwd: packageRoot, encoding: 'utf8', env: { ...process.env, MILLRACE_ONEDNN_ISA: isa } },
      );
      assert.equal(status, 0, stdout);
    });
});
