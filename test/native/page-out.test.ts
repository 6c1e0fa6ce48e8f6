import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../src/engine/tfjs.js';
import {
  dispose,
  fill,
  max,
  min,
  mul,
  ones,
  setBackend,
  sum,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { linears } from '../../src/engine/ops/linears.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { inProcess, needOnednn, runningBackend, startOnednn } from './onednn.js';

const MB = 2 ** 20;
/** A weight of 64 MB, and half of that for each layout in bf16. */
const side = 4096;

/** Numbers that use all of their bits. */
function drawn(count: number): Float32Array {
  const values = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
  return values;
}

/** A frozen map and the gradient of its input, so that the weight is packed both ways. */
function used(weight: Tensor): number[] {
  return tidy(() => {
    const x = mul(ones([2, side]), 0.5);
    const { value, gradients } = valueAndGradients(
      () => sum(linears([{ x, weight, frozen: true }])[0]!),
      [x],
    );
    return [...value.dataSync(), ...gradients[0]!.dataSync()];
  });
}

/** What the addon counts, in MB, once it has given back what it does not need. */
function held(): { reserved: number; inUse: number; inFiles: number } {
  const { addon } = runningBackend();
  addon.trim();
  const { bytesReserved, bytesInUse, bytesInFiles } = addon.memory();
  return { reserved: bytesReserved / MB, inUse: bytesInUse / MB, inFiles: bytesInFiles / MB };
}

/** The files that hold weights, those included that were read and wait for the garbage collector; none but on Linux. */
function files(): string[] {
  if (process.platform !== 'linux') return [];
  return readFileSync('/proc/self/maps', 'utf8').match(/\d+ +\S*millrace-\w{6} \(deleted\)/g) ?? [];
}

const bytes = (numbers: ArrayLike<number>) => Buffer.from((numbers as Float32Array).buffer);

/** What runs with a temporary folder of its own, which the addon reads as it is loaded: 4 MB are used and read. */
const script = `
  process.env.TMPDIR = process.argv[1];
  import { ones, tensor, tidy } from '@tensorflow/tfjs-core';
  import { useEngine } from './src/engine/engine.js';
  import { onednnBackend } from './src/engine/onednn.js';
  import { linear } from './src/engine/ops/linear.js';
  await useEngine('onednn', { precision: 'bf16' });
  const values = Float32Array.from({ length: 1024 * 1024 }, (_, i) => 1 / (i + 3));
  const weight = tensor(values, [1024, 1024]);
  tidy(() => linear(ones([2, 1024]), weight).dataSync());
  const { bytesInFiles } = onednnBackend().addon.memory();
  console.log(JSON.stringify({ bytesInFiles, same: weight.dataSync().every((x, i) => x === values[i]) }));
`;

describe('frozen weights in bf16', () => {
  before(needOnednn);
  beforeEach(() => startOnednn('bf16'));
  after(() => setBackend('cpu'));

  it('leave memory once they are packed, and are read as they were', async () => {
    const values = drawn(side * side);
    const weight = tensor(values, [side, side]);
    tidy(() => used(fill([side, side], 1))); // What the first products take for good.
    const before = held();
    used(weight);
    const after = held();
    // 64 MB leave; two layouts of 32 in bf16 come, or one of 64 in f32 where the processor has no bf16 products.
    assert.equal(after.inFiles - before.inFiles, 64);
    assert.ok(Math.abs(after.inUse - before.inUse) < 2, `in use: ${before.inUse}, then ${after.inUse} MB`);
    const grown = after.reserved - before.reserved;
    assert.ok(grown < 16, `the addon's memory grew by ${grown.toFixed(0)} MB`);
    assert.ok(bytes(values).equals(bytes(await weight.data())));
    assert.ok(bytes(values).equals(bytes(weight.dataSync())));
    weight.dispose();
  });

  it('are multiplied as those that stay in memory, which are the results of kernels, as what trains is', () => {
    const before = held();
    const weight = tensor(drawn(side * side), [side, side]);
    const trained = mul(weight, 1);
    assert.deepEqual(used(weight), used(trained));
    weight.dispose();
    const left = held().inUse - before.inUse;
    assert.ok(left > 127 && left < 130, `expected numbers and two layouts of ${left.toFixed(0)} MB in use`);
    dispose(trained);
  });

  it('give their memory to others, and nothing is left of them when they are freed', () => {
    const before = held();
    const elsewhere = new Set(files());
    const own = () => files().filter((file) => !elsewhere.has(file));
    const weights = [1, 2].map((scale) =>
      tensor(
        drawn(side * side).map((x) => scale * x),
        [side, side],
      ),
    );
    const [first, second] = weights.map((weight) => used(weight)) as [number[], number[]];
    if (process.platform === 'linux') assert.equal(own().length, 2);
    const others = [3, 4, 5].map((value) => fill([side, side], value));
    const ranges = others.map((other) => tidy(() => [min(other), max(other)].map((x) => x.dataSync()[0])));
    assert.deepEqual(ranges, [
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    // Packed anew, from the file in one case and from memory that is used again in the other.
    assert.deepEqual(used(weights[0]!), first);
    weights[0]!.dispose();
    const again = tensor(
      drawn(side * side).map((x) => 2 * x),
      [side, side],
    );
    assert.deepEqual(used(again), second);
    dispose([...weights.slice(1), ...others, again]);
    assert.equal(held().inUse, before.inUse);
    assert.deepEqual(own(), []);
  });

  describe('with TMPDIR', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'millrace-page-out-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const runIn = (folder: string) => {
      const { bytesInFiles, same } = inProcess<{ bytesInFiles: number; same: boolean }>(script, folder);
      assert.ok(same);
      return bytesInFiles / MB;
    };

    it('in a folder of its own, hold their numbers there and leave no file', () => {
      assert.equal(runIn(folder), 4);
      assert.deepEqual(readdirSync(folder), []);
    });

    it('in a folder that is missing, stay in memory', () => {
      assert.equal(runIn(join(folder, 'missing')), 0);
    });

    it('on a disk that is too small, stay in memory', function () {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
      } catch {
        console.log('      skipped: a small disk cannot be mounted here');
        this.skip();
      }
      try {
        assert.equal(runIn(folder), 0);
      } finally {
        execFileSync('umount', [folder]);
      }
    });
  });
});
