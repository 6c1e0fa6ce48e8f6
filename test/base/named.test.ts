import assert from 'node:assert/strict';
import '../../src/tasks/segmentation/metrics/metric.js';
import { adapters } from '../../src/adapters/adapters.js';
import { type Named, named, registrations } from '../../src/base/named.js';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { caches } from '../../src/data/images/caches.js';
import { corrupt, corruptions } from '../../src/data/images/corruptions/corruptions.js';
import { mixers } from '../../src/data/images/mixing/mixers.js';
import { engines } from '../../src/engine/engine.js';
import { metricOf, modeOf } from '../../src/events/metric.js';
import { pruners } from '../../src/study/pruners/pruners.js';
import { samplers } from '../../src/study/samplers/samplers.js';
import { losses } from '../../src/tasks/segmentation/losses/losses.js';
import { optimizers } from '../../src/train/optimizers/optimizers.js';
import { schedules } from '../../src/train/schedules/schedules.js';

/** What a catalogue calls its things, how one is looked up, a slip of the pen, and what was meant. */
type Row = [what: string, look: (name: string) => unknown, slip: string, meant: string];

const row = (
  { what, get }: Pick<Named<string, unknown>, 'what' | 'get'>,
  slip: string,
  meant: string,
): Row => [what, get, slip, meant];

const TABLES: readonly Row[] = [
  row(losses, 'focl', 'focal'),
  row(optimizers, 'adamv', 'adamw'),
  row(schedules, 'cosin', 'cosine'),
  row(caches, 'memry', 'memory'),
  row(augmentations, 'colour', 'color'),
  row(mixers, 'cutmx', 'cutmix'),
  row(corruptions, 'fogg', 'fog'),
  row(adapters, 'loraa', 'lora'),
  row(samplers, 'nsga', 'nsga2'),
  row(pruners, 'medain', 'median'),
  row(engines, 'wsam', 'wasm'),
  ['metric', (name) => metricOf({} as never, name as 'loss'), 'sofDice', 'softDice'],
  ['metric', (name) => modeOf(name as 'loss'), 'mIoUs', 'miou'],
];

describe('named', () => {
  for (const [what, look, slip, meant] of TABLES)
    it(`refuses an unknown ${what} in a line that names the nearest`, () => {
      for (const [name, hint] of [
        [slip, `; did you mean ${meant}?`],
        ['toString', ''],
        ['hasOwnProperty', ''],
        ['constructor', ''],
        ['', ''],
      ])
        assert.throws(
          () => look(name!),
          (error: Error) =>
            error.name === 'UserError' &&
            error.message.startsWith(`${what}: expected one of `) &&
            error.message.endsWith(`, got "${name}"${hint}`),
          `${what} ${name}`,
        );
    });

  it('refuses an unknown corruption of a picture', () =>
    assert.rejects(corrupt({} as never, 'fogg', 1, 1, 'a'), {
      name: 'UserError',
      message: /^corruption: expected one of .*, got "fogg"; did you mean fog\?$/,
    }));

  const shapes = () => named('shape', { circle: (r: number) => 3 * r * r, square: (a: number) => a * a });

  it('makes what a name stands for, from the arguments that follow it', () => {
    assert.equal(shapes().make('square', 3), 9);
    assert.equal(shapes().get('circle')(2), 12);
  });

  it('registers a name, and knows it everywhere from then on', () => {
    const catalogue = shapes();
    const { names } = catalogue;
    assert.deepEqual(names, ['circle', 'square']);
    assert.equal(catalogue.has('line'), false);
    const before = registrations();
    catalogue.register('line', () => 0);
    assert.equal(registrations(), before + 1);
    assert.equal(catalogue.has('line'), true);
    assert.deepEqual(catalogue.names, ['circle', 'square', 'line']);
    assert.equal(catalogue.make('line', 5), 0);
    assert.throws(() => catalogue.make('lien', 1), {
      message: 'shape: expected one of circle, square, line, got "lien"; did you mean line?',
    });
    assert.deepEqual(shapes().names, ['circle', 'square']);
  });

  it('accepts the same entry twice, and refuses another under a taken name', () => {
    const catalogue = shapes();
    const line = () => 0;
    catalogue.register('line', line);
    catalogue.register('line', line);
    for (const taken of ['line', 'circle'])
      assert.throws(() => catalogue.register(taken, () => 1), {
        name: 'UserError',
        message: `shape: expected a new name, got "${taken}", which another shape has`,
      });
    assert.equal(catalogue.make('line', 5), 0);
    assert.equal(catalogue.make('circle', 1), 3);
  });

  it('refuses a name that no flag could carry', () => {
    for (const name of ['', 'a,b', 'a b', '.hidden', '../up', 'a/b'])
      assert.throws(() => shapes().register(name, () => 0), {
        name: 'UserError',
        message: `shape: expected a name of letters, digits, "_", "-" and ".", got "${name}"`,
      });
  });
});
