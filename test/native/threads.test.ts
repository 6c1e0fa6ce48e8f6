import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { inProcess, needOnednn } from './onednn.js';

/** Works on `threads` threads; says on which cores each thread of the process may run, and how many cores Node sees. */
const program = (threads: number) => `
  import { readdirSync, readFileSync } from 'node:fs';
  import { availableParallelism } from 'node:os';
  import { add, ones } from '@tensorflow/tfjs-core';
  import { useEngine } from './src/engine/engine.js';
  await useEngine('onednn', { threads: ${threads} });
  await add(ones([1024, 1024]), 1).data();
  const allowed = readdirSync('/proc/self/task').map((task) =>
    /^Cpus_allowed_list:\\s*(.*)$/m.exec(readFileSync('/proc/self/task/' + task + '/status', 'utf8'))[1]);
  console.log(JSON.stringify({ allowed, cores: availableParallelism() }));
`;

const threadsOf = (count: number) => inProcess<{ allowed: string[]; cores: number }>(program(count));

describe('threads of the onednn engine', () => {
  const cores = availableParallelism();
  before(needOnednn);
  before(function () {
    if (process.platform === 'linux' && cores > 1) return;
    console.log('      skipped: only Linux with two cores or more keeps threads on cores');
    this.skip();
  });

  it('stay on a core each where there is one for each, and leave all cores to the others', () => {
    const { allowed, cores: seen } = threadsOf(cores);
    const kept = allowed.filter((list) => /^\d+$/.test(list));
    assert.equal(kept.length, cores);
    assert.equal(new Set(kept).size, cores);
    assert.equal(seen, cores);
  });

  it('wander where they are fewer than the cores', () => {
    const { allowed } = threadsOf(cores - 1);
    assert.deepEqual(
      allowed.filter((list) => /^\d+$/.test(list)),
      [],
    );
  });
});
