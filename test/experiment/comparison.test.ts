import assert from 'node:assert/strict';
import { groupComparison, lineComparison } from '../../src/experiment/comparison-plots.js';
import { comparedScores, comparisonTable } from '../../src/experiment/comparison-table.js';
import { publishedScores } from '../../src/experiment/published.js';
import { type AggregatedScores, aggregateScores, type ScoreRow } from '../../src/experiment/score-files.js';
import type { TestScores } from '../../src/loggers/summary.js';
import { toSvg } from '../../src/report/render.js';

const test = (softDice: number): TestScores => ({
  softDice,
  softIou: softDice / 2,
  dice: [softDice],
  iou: [softDice / 2],
  miou: softDice / 2,
  accuracy: 1,
});
const row = (adapter: string, seed: number, softDice: number, changes: Partial<ScoreRow> = {}): ScoreRow => ({
  run: `${adapter}_${seed}_0.25`,
  checkpoint: 'step-00000001',
  adapter,
  mode: 'adapters',
  adapterParameters: 96,
  headParameters: 675,
  modelName: 'vit',
  seed,
  dataPercentage: 0.25,
  domain: 'in_domain',
  style: null,
  images: 4,
  engine: 'cpu',
  precision: 'f32',
  classNames: ['pet'],
  test: test(softDice),
  ...changes,
});
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
const titles = { title: 'In domain', subtitle: 'two seeds', x: 'Share of the data (%)', y: 'Soft Dice' };

describe('comparisons', () => {
  const rows: AggregatedScores[] = aggregateScores([
    row('lora', 1, 0.5),
    row('lora', 2, 0.7),
    row('lora', 1, 0.8, { dataPercentage: 1 }),
    row('none', 1, 0.4, { mode: 'head', adapterParameters: 0 }),
  ]);

  it('put runs that differ by their seed alone together', () => {
    assert.deepEqual(
      rows.map(({ adapter, dataPercentage, seeds }) => [adapter, dataPercentage, seeds]),
      [
        ['lora', 0.25, [1, 2]],
        ['lora', 1, [1]],
        ['none', 0.25, [1]],
      ],
    );
  });

  it('are tables of a row an adapter and a column a place', () => {
    assert.deepEqual(comparisonTable(comparedScores(rows, 'softDice')), [
      { adapter: 'lora', 'adapter parameters': 96, '25 %': '0.6000 ± 0.1000', '100 %': '0.8000' },
      { adapter: 'head', 'adapter parameters': 0, '25 %': '0.4000' },
    ]);
    const both = comparisonTable([...comparedScores(rows, 'softDice'), ...publishedScores('inDomain')]);
    assert.deepEqual(
      both.map(({ adapter }) => adapter),
      [
        'lora, this study',
        'head, this study',
        ...['lora', 'serial_lora', 'localized_lora'].map((name) => `${name}, published`),
      ],
    );
    assert.equal(both.at(-1)!['100 %'], '0.7935 ± 0.0015');
  });

  it('are lines over numbers, with an error bar where a deviation is known', async () => {
    const svg = await toSvg(lineComparison(titles, comparedScores(rows, 'softDice')));
    for (const word of [
      'In domain',
      'two seeds',
      'Share of the data (%)',
      'Soft Dice',
      '25',
      '100',
      'lora',
      'head',
    ])
      assert(texts(svg).includes(word), `${word} in ${texts(svg)}`);
    assert.equal(svg.match(/aria-roledescription="rule mark"/g)?.length, 1);
    assert.equal(svg.match(/aria-roledescription="point"/g)?.length, 3);
    assert(!texts(svg).includes('this study'));
    assert.doesNotMatch(svg, /NaN|undefined/);
  });

  it('are bars in groups, published figures paler beside', async () => {
    const ours = comparedScores(aggregateScores([row('lora', 1, 0.5, { style: 'mosaic' })]), 'softDice');
    const svg = await toSvg(groupComparison(titles, [...ours, ...publishedScores('outOfDomain')]));
    for (const word of ['mosaic', 'candy', 'rain_princess', 'udnie', 'lora', 'this study', 'published'])
      assert(texts(svg).includes(word), `${word} in ${texts(svg)}`);
    assert.equal(svg.match(/aria-roledescription="bar"/g)?.length, 13);
    assert.match(svg, /opacity="0\.4"/);
    assert.doesNotMatch(svg, /NaN|undefined/);
  });
});
