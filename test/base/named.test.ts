import assert from 'node:assert/strict';
import { adapterNamed } from '../../src/adapters/adapter-named.js';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { corrupt } from '../../src/data/images/corruptions/corruptions.js';
import { prunerNamed } from '../../src/study/pruners/pruner-named.js';
import { samplerNamed } from '../../src/study/samplers/sampler-named.js';
import { lossNamed } from '../../src/tasks/segmentation/losses/loss-named.js';
import { metricOf, modeOf } from '../../src/tasks/segmentation/metrics/metric.js';
import { cacheNamed } from '../../src/tasks/segmentation/sample-cache.js';
import { optimizerNamed } from '../../src/train/optimizers/optimizer-named.js';
import { scheduleNamed } from '../../src/train/schedules/schedule-named.js';

/** Every table of names: what it calls its things, a slip of the pen, and what was meant. */
const TABLES: [string, (name: string) => unknown, string, string][] = [
  ['loss', (name) => lossNamed(name), 'focl', 'focal'],
  ['optimizer', (name) => optimizerNamed(name as 'sgd'), 'adamv', 'adamw'],
  ['schedule', (name) => scheduleNamed(name as 'cosine', { steps: 9, metric: 'loss' }), 'cosin', 'cosine'],
  ['cache', (name) => cacheNamed(name as 'disk', '.'), 'memry', 'memory'],
  ['augmentation', (name) => augmentations(['flip', name as 'flip']), 'colour', 'color'],
  ['adapter', (name) => adapterNamed(name, { rank: 2 }), 'loraa', 'lora'],
  ['metric', (name) => metricOf({} as never, name as 'loss'), 'sofDice', 'softDice'],
  ['metric', (name) => modeOf(name as 'loss'), 'mIoUs', 'miou'],
  ['sampler', (name) => samplerNamed(name as 'tpe'), 'nsga', 'nsga2'],
  ['pruner', (name) => prunerNamed(name as 'asha'), 'medain', 'median'],
];

describe('named', () => {
  for (const [what, make, slip, meant] of TABLES)
    it(`refuses an unknown ${what} in a line that names the nearest`, () => {
      for (const [name, hint] of [
        [slip, `; did you mean ${meant}?`],
        ['toString', ''],
        ['hasOwnProperty', ''],
        ['', ''],
      ])
        assert.throws(
          () => make(name!),
          (error: Error) =>
            error.name === 'UserError' &&
            error.message.startsWith(`${what}: expected one of `) &&
            error.message.endsWith(`, got "${name}"${hint}`),
          `${what} ${name}`,
        );
    });

  it('refuses an unknown corruption', () =>
    assert.rejects(corrupt({} as never, 'fogg' as 'fog', 1, 1, 'a'), {
      name: 'UserError',
      message: /^corruption: expected one of .*, got "fogg"; did you mean fog\?$/,
    }));
});
