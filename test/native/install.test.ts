import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../native/install.mjs', import.meta.url));
const mac = process.platform === 'darwin';

describe('native/install.mjs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-install-'));
    for (const made of ['bin', 'root', 'nothing']) mkdirSync(join(folder, made));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A compiler that does what `body` says. */
  const compiler = (body: string) =>
    writeFileSync(join(folder, 'bin', 'g++'), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  /** A folder that looks as if it held oneDNN. */
  const onednn = () => {
    for (const part of ['include/oneapi/dnnl', 'lib'])
      mkdirSync(join(folder, 'root', part), { recursive: true });
    writeFileSync(join(folder, 'root/include/oneapi/dnnl/dnnl.hpp'), '');
    writeFileSync(join(folder, 'root/lib/libdnnl.so'), '');
    return join(folder, 'root');
  };
  /** Builds with nothing on the path but the compiler above. */
  const install = (root: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [script, '--out', join(folder, 'onednn.node'), ...args],
      { env: { PATH: join(folder, 'bin'), ONEDNN_ROOT: root }, encoding: 'utf8' },
    );
    return { status, said: stdout + stderr };
  };

  it('names the compiler and the line that installs it', () => {
    const { status, said } = install(onednn(), '--explain');
    assert.equal(status, 1);
    assert.match(said, /^onednn: missing: a C\+\+ compiler \(looked for g\+\+, clang\+\+ and c\+\+\)\n/);
    assert.match(
      said,
      mac
        ? /xcode-select --install && npm run build:native/
        : /sudo apt-get install g\+\+ && npm run build:native\n$/,
    );
    assert.doesNotMatch(said, /oneDNN/);
  });

  it('passes over a oneDNN that computes in SYCL queues', () => {
    compiler('exit 0');
    const root = onednn();
    const config = join(root, 'include/oneapi/dnnl/dnnl_config.h');
    writeFileSync(config, '#define DNNL_CPU_RUNTIME DNNL_RUNTIME_SYCL\n');
    const { status, said } = install(root, '--explain');
    assert.equal(status, 1);
    assert.match(said, /missing: oneDNN \(.*a build for SYCL instead of for threads\)/);
  });

  it('names oneDNN, the folder it was looked for in, and the line that installs it', () => {
    compiler('exit 0');
    const { status, said } = install(join(folder, 'nothing'), '--explain');
    assert.equal(status, 1);
    assert.ok(
      said.includes(
        `oneDNN (ONEDNN_ROOT is ${join(folder, 'nothing')}, which has no include/oneapi/dnnl/dnnl.hpp`,
      ),
    );
    assert.match(
      said,
      mac ? /brew install onednn/ : /sudo apt-get install libdnnl-dev && npm run build:native\n/,
    );
  });

  it('names both in one line', () => {
    const { said } = install(join(folder, 'nothing'), '--explain');
    assert.match(said, /missing: a C\+\+ compiler .*; oneDNN /);
    if (!mac) assert.match(said, /sudo apt-get install g\+\+ libdnnl-dev && npm run build:native/);
  });

  it('shows what the compiler says where the sources do not compile, and leaves no addon', () => {
    compiler(
      'case "$*" in *--version*) exit 0;; esac; echo "fatal error: the disk is made of cheese" >&2; exit 1',
    );
    const { status, said } = install(onednn(), '--explain');
    assert.equal(status, 1);
    assert.match(said, /^onednn: the addon does not compile\n {2}fatal error: the disk is made of cheese\n$/);
    assert.ok(!existsSync(join(folder, 'onednn.node')));
  });

  it('succeeds silently if something is missing or does not compile, as npm install needs', () => {
    assert.deepEqual(install(join(folder, 'nothing')), { status: 0, said: '' });
    compiler('case "$*" in *--version*) exit 0;; esac; echo no >&2; exit 1');
    assert.deepEqual(install(onednn()), { status: 0, said: '' });
    assert.ok(!existsSync(join(folder, 'onednn.node')));
  });
});
