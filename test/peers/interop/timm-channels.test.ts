import assert from 'node:assert/strict';
import { adaptedPatches } from '../../../src/model/vit/adapt-channels.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

const CHANNELS = [1, 2, 3, 4, 5, 6, 13];

describe("timm's adapt_input_conv", () => {
  it('gives our patch embedding for any number of channels', async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    const shape = [8, 3, 4, 4];
    const random = randomStream(7, 'weights');
    const weight = Float32Array.from({ length: 8 * 3 * 16 }, () => random() - 0.5);
    const theirs = await python.json<Record<string, number[]>>(
      new URL('timm_channels_twin.py', import.meta.url),
      [],
      { shape, weight: [...weight], channels: CHANNELS },
    );
    for (const channels of CHANNELS) {
      const ours = adaptedPatches(weight, shape, channels);
      assert.equal(ours.length, theirs[channels]!.length);
      // A sum of three may be rounded in another order.
      const tolerance = channels === 1 ? 1e-7 : 0;
      ours.forEach((value, i) =>
        assert.ok(Math.abs(value - theirs[channels]![i]!) <= tolerance, `${channels}: ${i}`),
      );
    }
  });
});
