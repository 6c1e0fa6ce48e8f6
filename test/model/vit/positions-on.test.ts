import assert from 'node:assert/strict';
import { mul, sum, type Tensor, tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { gridOf, vitConfig, withImageSize } from '../../../src/model/vit/config.js';
import { interpolatePositions } from '../../../src/model/vit/positions.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 8,
  patch_size: 4,
});
const size = { width: 16, height: 12 };

describe('a ViT on pictures of another size than its own', () => {
  const random = randomStream(1, 'sizes test');
  const pixels = Float32Array.from({ length: size.width * size.height * 3 }, () => normal(random));
  const picture = () => tensor4d(pixels, [1, size.height, size.width, 3]);
  let model: Segmenter;
  beforeEach(() => {
    model = createSegmenter(config, { classes: 3, seed: 1 });
    // A new model's positions are all 0.
    const positions = model.parameters.get('positions');
    const values = Float32Array.from({ length: positions.size }, () => normal(random));
    model.parameters.set('positions', tensor(values, positions.shape));
  });
  afterEach(() => model.dispose());

  it('refuses it, unless it takes it', () => {
    const other = picture();
    assert.throws(() => model.forward(other), /images: expected \[batch, 8, 8, 3\], got \[1, 12, 16, 3\]/);
    model.takes([size]).forward(other).dispose();
    const square = tensor4d(new Float32Array(8 * 8 * 3), [1, 8, 8, 3]);
    model.forward(square).dispose();
    assert.throws(() => model.takes([{ width: 10, height: 8 }]), /multiples of the patch size 4, got 10x8/);
    for (const each of [other, square]) each.dispose();
  });

  it('computes what a model of that size does, whose positions were interpolated', async () => {
    const twin = createSegmenter(withImageSize(config, size), { classes: 3, seed: 1 });
    for (const { name, value } of model.parameters) {
      if (name !== 'positions') twin.parameters.set(name, value.clone());
      else {
        const rows = Float32Array.from(await value.data());
        const moved = interpolatePositions(rows, 12, gridOf(config), gridOf(twin.config));
        twin.parameters.set(name, tensor(moved, twin.parameters.get(name).shape));
      }
    }
    const x = picture();
    const [got, want] = [model.takes([size]).forward(x), twin.forward(x)];
    assert.deepEqual(got.shape, [1, 12, 16, 3]);
    const [a, b] = [await got.data(), await want.data()];
    a.forEach((value, i) => assert.ok(Math.abs(value - b[i]!) < 1e-4, `${i}: ${value} ${b[i]}`));
    for (const each of [x, got, want]) each.dispose();
    twin.dispose();
  });

  it('has the gradient of central differences for its positions', () => {
    model.takes([size]);
    const x = picture();
    // Of the tokens: the head has kinks.
    const y = tidy(() => {
      const shape = model.tokens(x);
      return tensor(
        Float32Array.from({ length: shape.size }, () => normal(random)),
        shape.shape,
      );
    });
    const loss = () => sum(mul(model.tokens(x), y)) as ReturnType<typeof sum> & { rank: 0 };
    const positions = model.parameters.get('positions');
    const values = Float32Array.from(positions.dataSync());
    const gradient = tidy(() => {
      const { gradients } = valueAndGradients(loss as never, [positions]);
      return Float32Array.from(gradients[0]!.dataSync());
    });
    const at = (i: number, by: number) => {
      const moved = values.slice();
      moved[i]! += by;
      model.parameters.set('positions', tensor(moved, positions.shape) as Tensor);
      return tidy(() => loss().dataSync()[0]!);
    };
    const step = 0.02;
    for (const i of [0, 12, 17, 29, 41, 59]) {
      const numeric = (at(i, step) - at(i, -step)) / (2 * step);
      assert.ok(
        Math.abs(gradient[i]! - numeric) <= 5e-3 * Math.max(1, Math.abs(numeric)),
        `${i}: ${gradient[i]} ${numeric}`,
      );
    }
    for (const each of [x, y]) each.dispose();
  });
});
