import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { curves } from '../../src/report/run-plots.js';
import { show } from '../../src/report/show.js';

describe('show', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'millrace-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it('shows plots and pictures in the order in which they are given', async () => {
    const shown: [kind: string, what: string][] = [];
    const display = {
      svg: (text: string) => shown.push(['svg', text]),
      png: (bytes: Uint8Array) => shown.push(['png', [...bytes].join()]),
      jpeg: (bytes: Uint8Array) => shown.push(['jpeg', [...bytes].join()]),
    };
    for (const [name, byte] of [
      ['a.PNG', 1],
      ['b.jpg', 2],
      ['c.jpeg', 3],
    ] as const)
      writeFileSync(join(dir, name), Uint8Array.of(byte));
    writeFileSync(join(dir, 'd.svg'), '<svg/>');
    const plot = curves('Loss', 'Loss', [{ epoch: 1, value: 0.5, series: 'train' }]);
    await show(
      display,
      join(dir, 'b.jpg'),
      plot,
      join(dir, 'a.PNG'),
      join(dir, 'c.jpeg'),
      join(dir, 'd.svg'),
    );
    assert.deepEqual(
      shown.map(([kind]) => kind),
      ['jpeg', 'svg', 'png', 'jpeg', 'svg'],
    );
    assert.deepEqual([shown[0]![1], shown[2]![1], shown[3]![1], shown[4]![1]], ['2', '1', '3', '<svg/>']);
    assert.match(shown[1]![1], /^<svg .*Loss/s);
  });

  it('refuses files of another kind, and those that are not there', async () => {
    const never = () => assert.fail('nothing is shown');
    const display = { svg: never, png: never, jpeg: never };
    const gif = join(dir, 'a.gif');
    await assert.rejects(
      show(display, gif),
      (error) =>
        error instanceof UserError && /expected a \.png, \.jpg or \.svg, got \.gif/.test(error.message),
    );
    await assert.rejects(
      show(display, join(dir, 'none.png')),
      (error) => error instanceof UserError && /none\.png: expected a picture/.test(error.message),
    );
  });
});
