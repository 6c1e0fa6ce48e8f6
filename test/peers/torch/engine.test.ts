import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TORCH } from '../../../bench/peers/torch.js';
import { packageRoot } from '../../../src/base/package.js';
import { needsPython } from '../python.js';

/** What tests name the torch engine's cases with. */
const SUITES = [
  'test/native/torch.test.ts',
  'test/native/kernels.test.ts',
  'test/native/coverage.test.ts',
  'test/native/hostile.test.ts',
  'test/tasks/segmentation/pretrained.test.ts',
];

describe('the torch engine over the LibTorch of pip', () => {
  const addon = join(packageRoot, '.venv', 'torch', 'torch.node');

  before('builds the addon', async function () {
    const python = await needsPython(this, 'torch', TORCH);
    const { status, stderr } = spawnSync(process.execPath, ['native/torch/build.mjs', '--out', addon], {
      cwd: packageRoot,
      env: { ...process.env, MILLRACE_PYTHON: python.path, LIBTORCH: '' },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  for (const suite of SUITES)
    it(`passes ${suite}`, () => {
      const mocha = ['--import', 'tsx', join('node_modules', 'mocha', 'bin', 'mocha.js'), '--no-config'];
      const how = ['--require', 'test/hooks.ts', '--timeout', '600000', '--grep', 'torch', suite];
      const { status, stdout } = spawnSync(process.execPath, [...mocha, ...how], {
        cwd: packageRoot,
        env: { ...process.env, MILLRACE_TORCH_ADDON: addon },
        encoding: 'utf8',
      });
      assert.equal(status, 0, stdout);
      assert.doesNotMatch(stdout, /the torch addon is not built/);
    });

  it('says in one line what is missing where there is no torch', () => {
    for (const [env, said] of [
      [{ MILLRACE_PYTHON: '/nowhere/python' }, /no LibTorch: MILLRACE_PYTHON, .* pip install torch/],
      [{ LIBTORCH: packageRoot }, /has no include\/ATen\/ATen.h or no lib\/libtorch_cpu/],
    ] as const) {
      const { status, stderr } = spawnSync(
        process.execPath,
        ['native/torch/build.mjs', '--out', '/nowhere/x'],
        {
          cwd: packageRoot,
          env: { ...process.env, LIBTORCH: '', ...env },
          encoding: 'utf8',
        },
      );
      assert.equal(status, 1);
      assert.match(stderr, said);
      assert.equal(stderr.trim().split('\n').length, 1);
    }
    assert.ok(!existsSync('/nowhere/x'));
  });
});
