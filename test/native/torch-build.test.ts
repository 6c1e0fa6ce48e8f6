import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/package.js';

/** Runs the build where it must stop, and gives back what it says. */
function problem(env: Readonly<Record<string, string>>): string {
  const { status, stderr } = spawnSync(process.execPath, ['native/torch/build.mjs', '--out', '/nowhere/x'], {
    cwd: packageRoot,
    env: { ...process.env, LIBTORCH: '', ...env },
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.equal(stderr.trim().split('\n').length, 1);
  return stderr;
}

describe('npm run build:torch', () => {
  it('says in one line that there is no torch', () =>
    assert.match(
      problem({ MILLRACE_PYTHON: '/nowhere/python' }),
      /no LibTorch: MILLRACE_PYTHON, .* pip install torch/,
    ));

  it('says in one line that a folder is no LibTorch', () =>
    assert.match(
      problem({ LIBTORCH: packageRoot }),
      /has no include\/ATen\/ATen\.h or no lib\/libtorch_cpu/,
    ));

  it('refuses a LibTorch before 2.8, and one of the older C++ ABI', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-libtorch-'));
    const headers = join(folder, 'include', 'torch', 'headeronly');
    for (const made of [headers, join(folder, 'include', 'ATen'), join(folder, 'lib')])
      await mkdir(made, { recursive: true });
    await writeFile(join(folder, 'include', 'ATen', 'ATen.h'), '');
    for (const name of ['torch_cpu', 'c10']) await writeFile(join(folder, 'lib', `lib${name}.so`), '');
    const version = (minor: number) =>
      ['MAJOR 2', `MINOR ${minor}`, 'PATCH 1'].map((part) => `#define TORCH_VERSION_${part}\n`).join('');
    await writeFile(join(headers, 'version.h'), version(7));
    assert.match(
      problem({ LIBTORCH: folder }),
      /is torch 2\.7\.1, expected 2\.8 or later; pip install --upgrade/,
    );
    if (process.platform === 'linux') {
      await writeFile(join(headers, 'version.h'), version(8));
      assert.match(problem({ LIBTORCH: folder }), /was built for the older C\+\+ ABI/);
    }
    await rm(folder, { recursive: true });
  });
});
