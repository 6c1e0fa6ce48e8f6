import assert from 'node:assert/strict';
import fc from 'fast-check';
import { csvRecords } from '../../src/files/csv.js';
import { csvText } from '../../src/files/tables.js';

const read = (text: string) => [...csvRecords(text, 'a.csv')];

describe('csvRecords', () => {
  it('reads what csvText writes', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r', 'é', '0') });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
        const quoted = rows.map((cells) => cells.map((text) => `"${text.replaceAll('"', '""')}"`).join());
        assert.deepEqual(
          read(quoted.join('\n')).map(({ cells }) => cells),
          rows,
        );
      }),
    );
    const rows = [{ image: 'a, b.png', label: 'say "no"' }];
    assert.deepEqual(read(csvText(rows))[1]!.cells, ['a, b.png', 'say "no"']);
  });

  it('counts lines, also within cells, whatever ends them', () => {
    assert.deepEqual(read('\ufeffa , b\r\n\r\n"1\n2",\r3,4\n'), [
      { line: 1, cells: ['a', 'b'] },
      { line: 3, cells: ['1\n2', ''] },
      { line: 5, cells: ['3', '4'] },
    ]);
    assert.deepEqual(read(''), []);
    assert.deepEqual(read('""'), [{ line: 1, cells: [''] }]);
    assert.deepEqual(read('a,'), [{ line: 1, cells: ['a', ''] }]);
  });

  it('names the line of a quote that is not closed, or closed too early', () => {
    assert.throws(() => read('a,b\nc,"d'), /^UserError: a.csv:2: expected a cell whose quotes are closed/);
    assert.throws(() => read('"a"b,c'), /^UserError: a.csv:1: expected a cell/);
  });
});
