import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { heads } from '../../src/model/heads/heads.js';

describe('docs/heads.md', () => {
  const text = readFileSync(new URL('../../docs/heads.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$/gm)];

  it('lists the heads of the package with their parameters', () => {
    const counted = rows.map(([, name]) => {
      const counts = [192, 768].map((hidden) =>
        heads
          .make(name!, { classes: 3 })
          .parameters(hidden, { patch: 16, channels: 3, depth: 12 })
          .filter(({ buffer }) => !buffer)
          .reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0)
          .toLocaleString('en'),
      );
      return [name, ...counts];
    });
    assert.deepEqual(
      rows.map(([, ...cells]) => cells),
      counted,
    );
    for (const name of ['study', 'linear', 'multiscale', 'dpt', 'upernet', 'detail', 'mask'])
      assert(
        rows.some(([, row]) => row === name),
        name,
      );
  });
});
