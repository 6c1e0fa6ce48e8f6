import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../recipes/run.js';
import { sharpBinaries } from './sharp-binaries.js';

const execute = promisify(execFile);
const system = `${process.platform}-${process.arch}`;

const PROGRAM = `
import { readFileSync } from 'node:fs';
import { imageCode, linear, useEngine } from 'millrace';
import { ones } from '@tensorflow/tfjs-core';
const { name } = await useEngine('auto');
const y = linear(ones([2, 64]), ones([64, 3])).dataSync();
const code = imageCode();
const mapped = readFileSync('/proc/self/maps', 'utf8').match(/\\/\\S*(dnnl|gomp|jpeg|OpenCL|onednn|images)\\S*/g);
console.log(JSON.stringify({ name, y: [...y], code, mapped: [...new Set(mapped)] }));
`;

// Needs a compiler, oneDNN, and the network or npm's cache.
describe('the platform package, from its tarball', () => {
  let dir: string;

  before(async function () {
    if (process.platform !== 'linux') {
      console.log(`      skipped: the platform package is of Linux, this is ${process.platform}`);
      return this.skip();
    }
    dir = mkdtempSync(join(tmpdir(), 'millrace-packed-'));
    const packed = await execute(process.execPath, ['native/pack.mjs'], { cwd: root });
    const platform = packed.stdout.trim();
    await execute('npm', ['pack', '--ignore-scripts', '--pack-destination', dir], { cwd: root });
    const tarball = readdirSync(dir).find((file) => file.endsWith('.tgz'))!;
    const dependencies = {
      millrace: `file:./${tarball}`,
      [`@millrace/onednn-${system}`]: `file:${platform}`,
      ...sharpBinaries(),
    };
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: 'module', dependencies }));
    writeFileSync(join(dir, 'program.js'), PROGRAM);
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--omit=optional', '--ignore-scripts'];
    await execute('npm', ['install', ...quiet], { cwd: dir });
    mkdirSync(join(dir, 'bin'));
    symlinkSync(process.execPath, join(dir, 'bin', 'node'));
  });
  after(() => {
    if (dir) rmSync(dir, { recursive: true });
  });

  const PATH = () => join(dir, 'bin');

  it('leaves nothing for npm install to build where no compiler is', async () => {
    const script = join(dir, 'node_modules', 'millrace', 'native', 'install.mjs');
    const { stdout, stderr } = await execute(process.execPath, [script], { env: { PATH: PATH() } });
    assert.equal(stdout + stderr, '');
  });

  it('brings the onednn engine and the images addon, each with the libraries beside it', async () => {
    const { stdout } = await execute(process.execPath, ['program.js'], { cwd: dir, env: { PATH: PATH() } });
    const { name, y, code, mapped } = JSON.parse(stdout) as {
      name: string;
      y: number[];
      code: string;
      mapped: string[];
    };
    assert.deepEqual([name, y], ['onednn', [64, 64, 64, 64, 64, 64]]);
    assert.match(code, /^native, /);
    const folder = join('node_modules', '@millrace', `onednn-${system}`);
    assert.ok(mapped.some((path) => path.endsWith('onednn.node')) && mapped.length >= 4, mapped.join('\n'));
    // sharp brings a libjpeg inside its own library.
    for (const path of mapped.filter((one) => !one.includes('@img')))
      assert.ok(path.includes(folder), `${path} is the system's`);
  });

  it('is refused in another version, with the line that mends it', async () => {
    const manifest = join(dir, 'node_modules', '@millrace', `onednn-${system}`, 'package.json');
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, JSON.stringify({ ...(JSON.parse(text) as object), version: '0.0.1' }));
    await assert.rejects(
      execute(process.execPath, ['program.js'], { cwd: dir, env: { PATH: PATH() } }),
      /@millrace\/onednn-\S+: expected version \S+, that of millrace, got 0.0.1; npm install @millrace/,
    );
    writeFileSync(manifest, text);
  });
});
