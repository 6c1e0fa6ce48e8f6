import assert from 'node:assert/strict';
import { ZodType } from 'zod';
import {
  classifierFlags,
  classifierRunFlags,
  classifierTrainingFlags,
  labelledDataFlags,
} from '../../src/experiment/classification-flags.js';
import { dataFlags } from '../../src/experiment/data-flags.js';
import { recordedSettings } from '../../src/experiment/resumed-settings.js';
import { modelFlags, runFlags, trainingFlags } from '../../src/experiment/training-flags.js';
import { changedSettings } from '../../src/train/earlier-run.js';

const EACH =
  'accumulate augment batchSize dataPercentage loss lr lrSegHead lrVitBackbone metric mode modelName momentum optimizer randomSeed schedule separateLr shrink split weightDecay'.split(
    ' ',
  );
const MASKS = [...EACH, 'batchNorm', 'headDropout', 'imageDir', 'list', 'maskDir', 'maskIds'].toSorted();
const LABELS = [...EACH, 'head', 'labelSmoothing', 'topK'].toSorted();

/** The settings that a run would be refused for which began before any of the flags was there. */
function settingsByDefault(flags: object): string[] {
  const defaults = Object.entries(flags).flatMap(([name, flag]) => {
    const { data } = flag instanceof ZodType ? flag.safeParse(undefined) : { data: undefined };
    return data === undefined ? [] : [[name, data]];
  });
  const asked = recordedSettings(Object.fromEntries(defaults));
  const first = { path: 'run', info: { config: {} } } as Parameters<typeof changedSettings>[0];
  return changedSettings(first, asked)
    .map(({ key }) => key)
    .toSorted();
}

// A run that began before a flag was there has no value for it, and is resumed under its default: were that a value,
// the resume would be refused as one under another setting. A new flag is optional, and its description says the default.
describe('recorded settings', () => {
  it('have no values by default but those of the first runs, for masks', () => {
    const flags = { ...dataFlags, ...modelFlags, ...trainingFlags, ...runFlags };
    assert.deepEqual(settingsByDefault(flags), MASKS);
  });

  it('have no values by default but those of the first runs, for labels', () => {
    const flags = {
      ...labelledDataFlags,
      ...classifierFlags,
      ...classifierTrainingFlags,
      ...classifierRunFlags,
    };
    assert.deepEqual(settingsByDefault(flags), LABELS);
  });
});
