import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot, packageVersion } from '../../src/base/package.js';

function millrace(...args: string[]) {
  const command = join(packageRoot, 'dist', 'exports', 'millrace.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: packageRoot,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the command millrace', () => {
  it('lists every recipe with its description', () => {
    const { status, stdout } = millrace('list');
    assert.equal(status, 0);
    const lines = stdout.trim().split('\n');
    const names = readdirSync(join(packageRoot, 'recipes'))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.replace('.ts', ''));
    assert.deepEqual(lines.map((line) => line.split(' ')[0]).toSorted(), names.toSorted());
    for (const line of lines) assert.match(line, /^[\w-]+ +[A-Z].*\.$/);
  });

  it("runs a recipe with the recipe's own flags, name and exit code", () => {
    const help = millrace('train', '--help');
    assert.equal(help.status, 0, help.stderr);
    assert.match(help.stdout, /--adapter/);
    const wrong = millrace('train-lora', '--epocs', '3');
    assert.deepEqual(
      [wrong.status, wrong.stderr],
      [1, 'train-lora: --epocs: unknown flag; did you mean --epochs?\n'],
    );
  });

  it('refuses an unknown recipe with the nearest name', () => {
    const { status, stdout, stderr } = millrace('trian');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^millrace: expected a recipe, one of .*, got "trian"; did you mean train\?\n$/);
  });

  it('says how it is used, and its version', () => {
    assert.match(millrace().stdout, /^Usage: millrace <recipe> \[flags\]/);
    assert.deepEqual(millrace('--help'), millrace());
    assert.equal(millrace('--version').stdout, `${packageVersion()}\n`);
  });
});
