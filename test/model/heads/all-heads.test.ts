import assert from 'node:assert/strict';
import {
  matMul,
  mul,
  sigmoid,
  softmax,
  sum,
  type Tensor,
  tensor,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { recordOnnx } from '../../../src/engine/onnx/record-onnx.js';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { heads } from '../../../src/model/heads/heads.js';
import type { Queries } from '../../../src/model/heads/mask-head.js';
import type { Extras } from '../../../src/model/loss.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

const NAMES = ['study', 'linear', 'multiscale', 'dpt', 'upernet', 'detail', 'mask'] as const;

function segmenter(name: string, patch = 4, depth = 2): Segmenter {
  const config = vitConfig.parse({
    hidden_size: 12,
    num_hidden_layers: depth,
    num_attention_heads: 3,
    intermediate_size: 24,
    image_size: 2 * patch,
    patch_size: patch,
  });
  return createSegmenter(config, { classes: 3, seed: 1, name });
}

/** The values of a tensor, normal and always the same. */
function values(size: number, ...key: (string | number)[]): Float32Array {
  const random = randomStream(1, 'heads test', ...key);
  return Float32Array.from({ length: size }, () => normal(random));
}

function pictures(shape: [number, number, number]): Tensor {
  return tensor4d(values(shape[0] * shape[1] * shape[2] * 3, 'pictures'), [...shape, 3]);
}

describe('the heads of the package', () => {
  it('are all tested here', () => {
    for (const name of NAMES) assert(heads.has(name), name);
  });

  for (const name of NAMES) {
    describe(name, () => {
      for (const patch of [4, 8, 14])
        it(`says logits at the pixels of any picture, with patches of ${patch}`, () => {
          const model = segmenter(name, patch);
          const size = { width: 3 * patch, height: 2 * patch };
          const logits = tidy(() => {
            const own = model.forward(pictures([2, 2 * patch, 2 * patch]));
            assert.deepEqual(own.shape, [2, 2 * patch, 2 * patch, 3]);
            const other = model.takes([size]).forward(pictures([1, size.height, size.width]));
            assert.deepEqual(other.shape, [1, size.height, size.width, 3]);
            return other.dataSync();
          });
          assert(logits.every(Number.isFinite) && new Set(logits).size > patch);
          model.dispose();
        });

      it('says queries beside the logits if, and only if, it announces them', () => {
        const model = segmenter(name);
        tidy(() => {
          let said: Extras | undefined;
          const logits = model.forward(pictures([2, 8, 8]), { extras: (extras) => void (said = extras) });
          assert.deepEqual(logits.dataSync(), model.forward(pictures([2, 8, 8])).dataSync());
          if (!model.saysQueries) return assert.deepEqual(said, {});
          const { masks, kinds } = said as unknown as Queries;
          const count = kinds.shape[1]!;
          assert.deepEqual(
            [masks.shape, kinds.shape],
            [
              [2, 8, 8, count],
              [2, count, 4],
            ],
          );
          // The logits are log Σ p(class)·σ(mask) over the queries.
          const p = softmax(kinds).slice([0, 0, 0], [2, count, 3]);
          const sum = matMul(sigmoid(masks).reshape([2, 64, count]), p).dataSync();
          logits.dataSync().forEach((x, i) => assert(Math.abs(Math.exp(x) - sum[i]!) < 1e-5));
        });
        model.dispose();
      });

      it('says the same of a picture alone and beside another', () => {
        const model = segmenter(name);
        const [alone, beside] = tidy(() => {
          const both = pictures([2, 8, 8]);
          return [model.forward(both.slice([0], [1])), model.forward(both)].map((x) => x.dataSync());
        });
        alone!.forEach((value, i) => assert(Math.abs(value - beside![i]!) < 1e-5, `${i}`));
        model.dispose();
      });

      it('has the gradient of central differences for each parameter and for the tokens', () => {
        const model = segmenter(name);
        const shift = 'layers.0.fc2.bias'; // by which all levels move
        const parameters = [...model.parameters].filter(
          (each) => each.name === shift || (each.group === 'head' && each.trainable),
        );
        assert(parameters.length > 2);
        const images = pictures([2, 8, 8]);
        const weights = tensor4d(values(2 * 8 * 8 * 3, 'weights'), [2, 8, 8, 3]);
        // Both in training, where BatchNorm has the gradient of its statistics.
        const loss = () => sum(mul(model.forward(images, { random: () => 0.5 }), weights));
        for (const { name: parameter, value } of parameters) {
          const own = Float32Array.from(value.dataSync());
          // Short, so that few ReLUs turn on the way.
          const random = values(own.length, parameter);
          const length = Math.sqrt(random.reduce((total, x) => total + x * x, 0));
          const direction = random.map((x) => x / length);
          const slope = tidy(() => {
            const { gradients } = valueAndGradients(loss as never, [model.parameters.get(parameter)]);
            return Array.from(gradients[0]!.dataSync()).reduce((total, g, i) => total + g * direction[i]!, 0);
          });
          const at = (step: number) => {
            const moved = own.map((x, i) => x + step * direction[i]!);
            model.parameters.set(parameter, tensor(moved, value.shape));
            return tidy(() => loss().dataSync()[0]!);
          };
          // Tokens of a random backbone are small, and their norm enlarges what moves them.
          const step = parameter === shift ? 1e-4 : 1e-3;
          const numeric = (at(step) - at(-step)) / (2 * step);
          model.parameters.set(parameter, tensor(own, value.shape));
          const error = Math.abs(numeric - slope) / (1 + Math.abs(numeric));
          assert(error < 0.03, `${parameter}: numeric ${numeric}, got ${slope}`);
        }
        images.dispose();
        weights.dispose();
        model.dispose();
      });

      it('is recorded as ONNX', async () => {
        const model = segmenter(name, 8, 4);
        const bytes = await recordOnnx((x) => model.forward(x), {
          shape: [16, 16, 3],
          weights: model.parameters,
        });
        assert(bytes.length > 4 * model.parameters.count('head'));
        model.dispose();
      });
    });
  }
});
