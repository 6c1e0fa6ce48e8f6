import assert from 'node:assert/strict';
import { inProcess, needOnednn } from './onednn.js';

describe('arguments that the onednn engine cannot take', () => {
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

  it('are refused by every operation, or give what the cpu engine gives', () => {
    const program = `import './test/native/hostile-ops.ts'`;
    const { tried, refused, different } = inProcess<{ tried: number; refused: number; different: string[] }>(
      program,
      '1',
      '6',
    );
    assert.deepEqual(different, []);
    assert.ok(refused > tried / 5 && refused < tried / 2, `${refused} of ${tried} refused`);
  });
});
