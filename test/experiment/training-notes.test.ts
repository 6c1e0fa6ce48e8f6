import assert from 'node:assert/strict';
import type { Pair } from '../../src/data/types.js';
import { trainingNotes } from '../../src/experiment/training-notes.js';

const pairs = (n: number): Pair[] =>
  Array.from({ length: n }, (_, i) => ({ stem: `${i}`, image: '', mask: '' }));
const splits = (train: number, validation: number, test: number) => ({
  train: pairs(train),
  validation: pairs(validation),
  test: pairs(test),
});
const settings = { metric: 'softDice', schedule: 'trapezoid', mode: 'adapters', epochs: 8 } as const;

describe('trainingNotes', () => {
  it('says what the metric is', () => {
    const line = trainingNotes(settings, splits(7, 2, 1));
    assert.match(
      line,
      /^--metric softDice chooses the best checkpoint: upstream's Dice, .* rarest class.*\n$/,
    );
    assert.match(
      trainingNotes({ ...settings, metric: 'miou' }, splits(7, 2, 1)),
      /miou .*: of the predicted classes/,
    );
  });

  it('says which split is empty, and refuses what would follow it', () => {
    assert.equal(
      trainingNotes(settings, splits(4, 0, 0)),
      'no picture of 4 pairs is for validation: the last checkpoint counts as the best, and --metric does nothing\n' +
        'no picture of 4 pairs is for the test: nothing is tested\n',
    );
    for (const [changes, flag] of [
      [{ patience: 3 }, '--patience 3'],
      [{ schedule: 'plateau' }, '--schedule plateau'],
    ] as const)
      assert.throws(() => trainingNotes({ ...settings, ...changes }, splits(4, 0, 0)), {
        name: 'UserError',
        message: `${flag}: expected a validation split with a picture, got none of 4 pairs; give more pairs, or raise --data-percentage`,
      });
  });

  it('says which classes a split lacks', () => {
    const labelled = (...names: string[]) =>
      names.map((className, i) => ({ stem: `${i}`, image: '', label: 0, className }));
    const lacking = { train: labelled('cat', 'dog', 'elk'), validation: labelled('dog'), test: labelled() };
    assert.match(
      trainingNotes(settings, lacking),
      /^no picture of 4 pictures is for the test: nothing is tested\nthe validation split has no picture of cat, elk\n/m,
    );
  });

  it('says where no weight can be in integers', () => {
    const noted = (mode: string, precision: string) =>
      trainingNotes({ ...settings, mode, precision }, splits(7, 2, 1)).includes('integers');
    assert.deepEqual(
      [noted('full', 'int8'), noted('full', 'int16'), noted('full', 'bf16'), noted('adapters', 'int8')],
      [true, true, false, false],
    );
  });

  it('says where top-k accuracy is always 1', () => {
    const two = ['cat', 'dog'].map((className, label) => ({ stem: className, image: '', label, className }));
    const all = { train: two, validation: two, test: two };
    assert.match(
      trainingNotes({ ...settings, topK: 2 }, all),
      /^--top-k 2: top-k accuracy is always 1 with 2 classes$/m,
    );
    assert.doesNotMatch(trainingNotes({ ...settings, topK: 1 }, all), /top-k/);
  });

  it('says where --freeze-epochs freezes throughout', () => {
    const notes = (changes: object) =>
      trainingNotes({ ...settings, ...changes }, splits(7, 2, 1))
        .split('\n')
        .slice(1)
        .join('');
    assert.equal(notes({ freezeEpochs: 2 }), '');
    assert.match(notes({ freezeEpochs: 8 }), /^--freeze-epochs 8: of 8 epochs all train the head alone$/);
  });
});
