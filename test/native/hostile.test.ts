import assert from 'node:assert/strict';
import { need } from '../engine/tested-engines.js';
import { inProcess, needOnednn } from './onednn.js';

describe('arguments that the onednn addon cannot take', () => {
  before(needOnednn);

  it('are refused by every kernel of the addon, whatever of a call is changed', () => {
    const program = `import './test/native/hostile-addon.ts'`;
    const { refused, ...found } = inProcess<{ refused: number; wrong: string[]; missing: string[] }>(
      program,
      '1',
      '3000',
    );
    assert.deepEqual(found, { wrong: [], missing: [] });
    assert.ok(refused > 1500 && refused < 3000, `${refused} refused`);
  });
});

// On webgpu each new shape may be a new program, and without a card that takes a second.
for (const [engine, rounds] of [
  ['onednn', 6],
  ['torch', 6],
  ['tensorflow', 6],
  ['webgpu', 1],
] as const)
  describe(`arguments that the ${engine} engine cannot take`, () => {
    before(need(engine));

    it('are refused by every operation, or give what the cpu engine gives', () => {
      const program = `import './test/native/hostile-ops.ts'`;
      const { tried, refused, different } = inProcess<{
        tried: number;
        refused: number;
        different: string[];
      }>(program, engine, '1', `${rounds}`);
      assert.deepEqual(different, []);
      assert.ok(refused > tried / 5 && refused < tried / 2, `${refused} of ${tried} refused`);
    });
  });

describe('arguments that the torch addon cannot take', () => {
  before(need('torch'));

  it('are refused by every kernel, whatever of a call is changed', () => {
    const program = `import './test/native/hostile-torch.ts'`;
    const { refused, wrong } = inProcess<{ refused: number; wrong: string[] }>(program, '1', '3000');
    assert.deepEqual(wrong, []);
    assert.ok(refused > 1000 && refused < 3000, `${refused} refused`);
  });
});
