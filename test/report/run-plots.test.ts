import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { toSvg, writePlot } from '../../src/report/render.js';
import { runPlots } from '../../src/report/run-plots.js';
import { runEvent, sampleRun, stepEvent } from '../loggers/sample-run.js';

/** All that can be read in a picture. */
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

describe('runPlots', () => {
  it('draws what the events hold, and nothing of a run that has none', () => {
    assert.deepEqual(runPlots([]), {});
    assert.deepEqual(Object.keys(runPlots([runEvent(), stepEvent(1)])), ['learning-rate']);
    assert.deepEqual(Object.keys(runPlots(sampleRun())), [
      'loss',
      'dice',
      'learning-rate',
      'per-class',
      'confusion',
    ]);
  });

  it('names run, axes, series and classes, also a class that does not occur', async () => {
    const plots = runPlots(sampleRun());
    const wanted: Record<string, string[]> = {
      loss: ['Loss', 'lora_42', 'Epoch', '1', '2', '3', 'train', 'validation'],
      dice: ['Validation scores', 'Score', 'soft Dice', 'soft IoU', 'mIoU'],
      'learning-rate': ['Step', 'Learning rate', '0', '1e-2'],
      'per-class': ['Scores by class, test split', 'pet', 'background', 'boundary', '0.800', '0.900'],
      confusion: ['Target', 'Prediction', 'Share of target', '75.0%', '25.0%', '91.7%', '–'],
    };
    for (const [name, words] of Object.entries(wanted)) {
      const svg = await toSvg(plots[name]!);
      for (const word of words) assert(texts(svg).includes(word), `${name}: ${word} in ${texts(svg)}`);
      assert.doesNotMatch(svg, /NaN|undefined|null%/, name);
    }
  });

  it('names learning rates where there are several, and leaves the legend out where there is one', async () => {
    const rates = { adapter: 1e-3, head: 1e-2 };
    const several = [1, 2].map((step) => stepEvent(step, { learningRate: rates }));
    const words = texts(await toSvg(runPlots(several)['learning-rate']!));
    assert(words.includes('adapter') && words.includes('head'));
    assert(!texts(await toSvg(runPlots(sampleRun())['learning-rate']!)).includes('all'));
  });

  it('writes SVG and, of 200 dots an inch, PNG', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    try {
      const plot = runPlots(sampleRun())['loss']!;
      await writePlot(join(dir, 'loss'), plot);
      const [svg, png] = await Promise.all(
        ['svg', 'png'].map((kind) => sharp(join(dir, `loss.${kind}`)).metadata()),
      );
      assert.equal(png?.format, 'png');
      // SVG is measured at 72 dots an inch.
      assert(Math.abs(png.width / svg!.width - 200 / 72) < 0.02, `${png.width} and ${svg!.width}`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
