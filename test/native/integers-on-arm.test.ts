import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/package.js';

const COMPILER = 'aarch64-linux-gnu-g++';
const EMULATOR = 'qemu-aarch64';
const PACKAGES = 'g++-aarch64-linux-gnu qemu-user';

/** As in native/install.mjs: `base` for every 64-bit Arm processor, `dotprod` for those with dot products. */
const FLAGS = '-std=c++17 -O3 -fopenmp-simd -fno-math-errno -fno-trapping-math -ffp-contract=off'.split(' ');
const OBJECTS = [
  ['integer-tiles', 'base'],
  ['integer-tiles', 'dotprod', '-march=armv8.2-a+dotprod'],
  ['loops', 'base'],
] as const;

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program}: ${error?.message ?? stdout + stderr}`);
  return stdout;
}

describe('products in integers on 64-bit Arm, emulated', () => {
  let folder: string;
  before(function () {
    const missing = [COMPILER, EMULATOR].filter((name) => spawnSync(name, ['--version']).status !== 0);
    if (missing.length > 0) {
      console.log(`      skipped: no ${missing.join(', no ')}; apt-get install ${PACKAGES}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'millrace-arm-'));
    const source = (name: string) => join(packageRoot, 'native/src', `${name}.cpp`);
    const objects = OBJECTS.map(([name, isa, ...flags]) => {
      const object = join(folder, `${name}-${isa}.o`);
      run(COMPILER, ...FLAGS, ...flags, `-DMILLRACE_ISA=${isa}`, '-c', source(name), '-o', object);
      return object;
    });
    const program = join(packageRoot, 'test/native/integer-products.cpp');
    run(
      COMPILER,
      ...FLAGS,
      '-static',
      program,
      source('dispatch'),
      ...objects,
      '-o',
      join(folder, 'products'),
    );
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  for (const [processor, isa] of [
    ['max', 'dotprod'],
    ['cortex-a53', 'base'],
  ] as const)
    it(`${processor}: takes ${isa}, and has the results of plain sums to the last bit`, () => {
      const said = run(EMULATOR, '-cpu', processor, join(folder, 'products'));
      assert.match(said, new RegExp(`^${isa}: \\d+ products\\n$`));
    });
});
