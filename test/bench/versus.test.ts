import assert from 'node:assert/strict';
import { replaceSection } from '../../bench/report.js';
import type { StepResult } from '../../bench/result.js';
import { alternate, type Contender, rowOf } from '../../bench/versus.js';

const result = (s_per_step: number, peak_rss_mb = 100): StepResult => ({
  engine: 'e',
  precision: 'f32',
  model: 'm',
  adapter: 'lora',
  batch: 8,
  threads: 2,
  s_per_step,
  images_per_s: 8 / s_per_step,
  peak_rss_mb,
  gflops: 1,
});

/** A contender that takes these seconds, turn by turn; undefined is a turn that fails. */
function contender(name: string, seconds: readonly (number | undefined)[], turns: string[]): Contender {
  let turn = 0;
  return {
    name,
    run: async () => {
      turns.push(name);
      const taken = seconds[turn++];
      if (taken === undefined) throw new Error(`${name} broke`);
      return result(taken);
    },
  };
}

const comparison = { title: 'a step', ours: 'ours', of: 's_per_step', target: 2 } as const;

describe('bench versus', () => {
  it('runs the contenders in turn and drops one that fails', async () => {
    const turns: string[] = [];
    const said: string[] = [];
    const { results, failed } = await alternate(
      [contender('ours', [1, 2], turns), contender('peer', [undefined], turns)],
      2,
      (line) => said.push(line),
    );
    assert.deepEqual(turns, ['ours', 'peer', 'ours']);
    assert.equal(results.get('ours')!.length, 2);
    assert.deepEqual([...failed], [['peer', 'peer broke']]);
    assert.match(said.at(1)!, /peer does not run here: peer broke/);
  });

  it('divides within a round, against the peer with the least median', async () => {
    const rounds = await alternate(
      [
        contender('ours', [1, 2, 1], []),
        contender('slow', [9, 9, 9], []),
        contender('fast', [3, 4, 5], []),
        contender('broken', [0.1, undefined], []),
      ],
      3,
      () => {},
    );
    const row = rowOf({ ...comparison, peers: ['slow', 'broken', 'fast'] }, rounds)!;
    assert.deepEqual(
      {
        peer: row.peerName,
        ratio: row.ratio,
        min: row.min,
        max: row.max,
        ours: row.ours,
        peerTakes: row.peer,
      },
      { peer: 'fast', ratio: 3, min: 2, max: 5, ours: 1, peerTakes: 4 },
    );
  });

  it('has no row where no peer runs', async () => {
    const rounds = await alternate(
      [contender('ours', [1], []), contender('peer', [undefined], [])],
      1,
      () => {},
    );
    assert.equal(rowOf({ ...comparison, peers: ['peer'] }, rounds), undefined);
  });

  it('replaces only the marked section', () => {
    const before = 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n';
    assert.equal(replaceSection(before, 'x', 'new'), 'a\n<!-- x -->\n\nnew\n<!-- /x -->\nb\n');
    assert.throws(() => replaceSection(before, 'y', 'new'), /expected the lines <!-- y --> and <!-- \/y -->/);
  });
});
