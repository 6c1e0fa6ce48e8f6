import assert from 'node:assert/strict';
import { vitConfig } from '../../../src/model/vit/config.js';
import { dropPathRates } from '../../../src/model/vit/drop-path.js';
import { layerDecay } from '../../../src/model/vit/layer-decay.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

interface Timm {
  readonly scales: Readonly<Record<string, number>>;
  readonly dropPath: readonly number[];
}

/** timm's names of parts that are named otherwise here; the head is another. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^cls_token$/, 'cls'],
  [/^pos_embed$/, 'positions'],
  [/^patch_embed\.proj/, 'patch'],
  [/^blocks/, 'layers'],
  [/attn\.qkv/, 'query'],
  [/attn\.proj/, 'output'],
  [/mlp\./, ''],
];

describe("timm's training of a ViT", () => {
  let timm: Timm;
  before(async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    timm = await python.json(new URL('timm_training_twin.py', import.meta.url), ['5', '0.75', '0.2']);
  });

  it('has our rate of each parameter with layer decay', () => {
    const config = vitConfig.parse({
      hidden_size: 12,
      num_hidden_layers: 5,
      num_attention_heads: 3,
      intermediate_size: 24,
      image_size: 32,
      patch_size: 16,
    });
    const model = createSegmenter(config, { classes: 3, seed: 1 });
    const rate = layerDecay(5, 0.75);
    const ours = new Map([...model.parameters].map((parameter) => [parameter.name, rate(parameter)]));
    model.dispose();
    const theirs = Object.entries(timm.scales).filter(([name]) => !name.startsWith('head.'));
    assert.equal(theirs.length, 4 + 12 * 5 + 2);
    for (const [name, scale] of theirs) {
      const own = NAMES.reduce((text, [from, to]) => text.replace(from, to), name);
      assert.ok(Math.abs(ours.get(own)! - scale) < 1e-12, `${own}: ${ours.get(own)}, ${name}: ${scale}`);
    }
    for (const [name, scale] of ours) if (name.startsWith('head.')) assert.equal(scale, 1);
    assert.equal(timm.scales['head.weight'], 1);
  });

  it('has our rates of stochastic depth, in float32', () => {
    const ours = dropPathRates(0.2, 5);
    assert.equal(timm.dropPath.length, 5);
    timm.dropPath.forEach((rate, i) => assert.ok(Math.abs(rate - ours[i]!) < 1e-7, `${rate}, ${ours[i]}`));
  });
});
