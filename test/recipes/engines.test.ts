import assert from 'node:assert/strict';
import { packageRoot } from '../../src/base/package.js';
import { engines } from '../../src/engine/engine.js';
import { run } from './run.js';

describe('engines', () => {
  it('names every engine, the speed of each that runs, and what brings the others', async () => {
    const { code, stdout, stderr } = await run('engines', ['--size', '16'], packageRoot);
    assert.equal(code, 0, stderr);
    const lines = stdout.trim().split('\n');
    assert.match(
      lines.pop()!,
      /^images +(native, \w+, JPEG by \S|JavaScript, which is slower: npm run build:images$)/,
    );
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      engines.names.flatMap((name) => (name === 'onednn' ? [name, name, name] : [name])),
    );
    for (const line of lines)
      assert.match(line, /GFLOP\/s in products of 16 × 16$|not installed: \S|expected .+, got .+; \S/);
    assert.match(stdout, /^wasm +f32 on 1 thread, /m);
    if (/^onednn .*GFLOP/m.test(stdout))
      assert.match(stdout, /^onednn +(bf16|f32) .*\nonednn +int16 on .*\nonednn +int8 on /m);
    else console.log('      integers skipped: the onednn addon is not built');
  });
});
