import assert from 'node:assert/strict';
import { dispose, mul, type Scalar, setBackend, sum, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { type VitConfig, vitConfig } from '../../../src/model/vit/config.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createClassifier } from '../../../src/tasks/classification/classifier.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

const plain = {
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  layer_norm_eps: 1e-6,
  image_size: 12,
  patch_size: 4,
};

/** What sets families apart, each by its own key. */
const FAMILIES: Readonly<Record<string, Partial<VitConfig>>> = {
  'without a class token': { class_token: false, hidden_act: 'gelu_pytorch_tanh' },
  'a LayerNorm before the blocks': { pre_norm: true, hidden_act: 'quick_gelu' },
  'rotary positions and registers': { rope_theta: 100, num_register_tokens: 2 },
  'gated MLPs': { use_gated_mlp: true, hidden_act: 'silu' },
  'rotary positions and gated MLPs': { rope_theta: 100, use_gated_mlp: true, hidden_act: 'silu' },
};

const pictures = (batch: number, side: number): Tensor => {
  const random = randomStream(3, 'pictures');
  const data = Float32Array.from({ length: batch * side * side * 3 }, () => normal(random));
  return tensor(data, [batch, side, side, 3]);
};

/** A model whose every parameter is far from its initial value, so that each of them shows. */
function shaken(config: VitConfig): Segmenter {
  const model = createSegmenter(config, { classes: 2, seed: 1 });
  for (const { name, value } of model.parameters) {
    const random = randomStream(2, name);
    const moved = Float32Array.from(value.dataSync(), (x) => x + 0.3 * normal(random));
    model.parameters.set(name, tensor(moved, value.shape));
  }
  return model;
}

describe('families of ViTs', () => {
  before(() => setBackend('cpu'));

  for (const [name, features] of Object.entries(FAMILIES)) {
    const config = vitConfig.parse({ ...plain, ...features });

    it(`${name}: the gradient of the tokens is that of central differences, parameter by parameter`, () => {
      const model = shaken(config);
      const images = pictures(1, 12);
      const weights = tidy(() => {
        const { shape, size } = model.tokens(images);
        const random = randomStream(4, 'weights');
        return tensor(
          Float32Array.from({ length: size }, () => normal(random)),
          shape,
        );
      });
      const loss = () => sum(mul(model.tokens(images), weights)) as Scalar;
      const backbone = [...model.parameters].filter(({ group }) => group === 'backbone');
      const values = backbone.map(({ value }) => value);
      const { value, gradients } = valueAndGradients(loss, values);
      backbone.forEach(({ name: parameter, value: before }, i) => {
        const numbers = before.dataSync().slice() as Float32Array;
        const place = Math.floor(numbers.length / 3);
        const at = (shift: number) => {
          const copy = numbers.slice();
          copy[place]! += shift;
          model.parameters.set(parameter, tensor(copy, before.shape));
          return tidy(() => loss().dataSync()[0]!);
        };
        const step = 1e-2;
        const numeric = (at(-2 * step) - 8 * at(-step) + 8 * at(step) - at(2 * step)) / (12 * step);
        at(0);
        const got = gradients[i]!.dataSync()[place]!;
        const error = Math.abs(numeric - got) / (1 + Math.abs(numeric));
        assert.ok(error < 5e-3, `${parameter}: numeric ${numeric}, got ${got}`);
      });
      dispose([images, weights, value, ...gradients] as Tensor[]);
      model.dispose();
    });

    it(`${name}: an adapter starts as nothing, merges, and heads of both tasks fit`, () => {
      const model = shaken(config);
      const images = pictures(2, 12);
      const numbers = (forward: () => Tensor) => tidy(() => forward().dataSync().slice() as Float32Array);
      const close = (got: Float32Array, want: Float32Array) => {
        const worst = Math.max(...want.map((x, i) => Math.abs(x - got[i]!)));
        assert.ok(got.length === want.length && worst < 1e-4, `off by ${worst}`);
      };
      const before = numbers(() => model.forward(images));
      assert.equal(before.length, 2 * 12 * 12 * 2);
      model.inject(lora({ rank: 2, targets: ['query', 'key', 'value', 'output', 'fc1', 'fc2'] }), 5);
      close(
        numbers(() => model.forward(images)),
        before,
      );
      for (const { name: parameter, value, group } of model.parameters)
        if (group === 'adapter') {
          const random = randomStream(6, parameter);
          const moved = Float32Array.from(value.dataSync(), (x) => x + 0.1 * normal(random));
          model.parameters.set(parameter, tensor(moved, value.shape));
        }
      const adapted = numbers(() => model.forward(images));
      model.merge();
      close(
        numbers(() => model.forward(images)),
        adapted,
      );
      const classifier = createClassifier(config, { classes: 3, seed: 1 });
      assert.equal(numbers(() => classifier.forward(images)).length, 2 * 3);
      for (const one of [model, classifier]) one.dispose();
      dispose(images);
    });

    it(`${name}: takes pictures of another size`, () => {
      const model = shaken(config).takes([{ width: 20, height: 20 }]);
      const images = pictures(1, 20);
      const logits = model.forward(images);
      assert.deepEqual(logits.shape, [1, 20, 20, 2]);
      dispose([images, logits]);
      model.dispose();
    });
  }
});
