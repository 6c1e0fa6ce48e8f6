import assert from 'node:assert/strict';
import {
  abs,
  add,
  dispose,
  engine,
  max,
  mul,
  sub,
  sum,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { bitFit } from '../../src/adapters/bitfit.js';
import { hira } from '../../src/adapters/hira.js';
import { layerNormTuning } from '../../src/adapters/layer-norm-tuning.js';
import { localizedLora } from '../../src/adapters/localized-lora.js';
import { lora } from '../../src/adapters/lora.js';
import { miss } from '../../src/adapters/miss.js';
import { serialLora } from '../../src/adapters/serial-lora.js';
import { shira } from '../../src/adapters/shira.js';
import type { Adapter } from '../../src/model/adapter.js';
import { TARGETS, type Target } from '../../src/model/targets.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../src/tasks/segmentation/segmenter.js';

const config = {
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 24,
  layer_norm_eps: 1e-6,
  image_size: 8,
  patch_size: 4,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};
const all: readonly Target[] = TARGETS;
/** `step` is that of central differences, small where what the adapter trains is bent more. */
const adapters: Record<string, { make: () => Adapter; parameters: number; step?: number }> = {
  lora: { make: () => lora({ rank: 2, alpha: 8 }), parameters: 2 * 2 * (12 * 2 + 2 * 12) },
  'lora on all maps': { make: () => lora({ rank: 3, targets: all }), parameters: 2 * 3 * (8 * 12 + 2 * 36) },
  'lora on one layer': { make: () => lora({ rank: 2, layers: [1] }), parameters: 2 * 2 * 24 },
  rsLora: { make: () => lora({ rank: 4, alpha: 8, rsLora: true }), parameters: 2 * 2 * 4 * 24 },
  dora: { make: () => lora({ rank: 2, alpha: 8, dora: true }), parameters: 2 * 2 * (2 * 24 + 12) },
  serial: { make: () => serialLora({ rank: 2 }), parameters: 2 * 2 * 24 },
  'serial, one pair a projection': {
    make: () => serialLora({ rank: 2, shared: false, alpha: 3 }),
    parameters: 2 * 3 * 2 * 24,
  },
  localized: {
    make: () => localizedLora({ blocks: 3, blockRank: 2, alpha: 4 }),
    parameters: 2 * 2 * 3 * 2 * 24,
  },
  bitfit: { make: () => bitFit(), parameters: 2 * (5 * 12 + 24 + 2 * 12) + 2 * 12, step: 2e-3 },
  'bitfit on one layer': {
    make: () => bitFit({ layers: [1] }),
    parameters: 5 * 12 + 24 + 2 * 12,
    step: 2e-3,
  },
  'layer norms': { make: () => layerNormTuning(), parameters: 2 * 2 * 24 + 24, step: 2e-3 },
  'lora by patterns': {
    make: () =>
      lora({
        rank: 2,
        rankPattern: { query: 3, 'layers.1.value': 1 },
        alphaPattern: { value: 5 },
        exclude: ['layers.0.value'],
      }),
    parameters: (3 + 3 + 1) * 24,
  },
  'lora with biases': {
    make: () => lora({ rank: 2, bias: 'lora_only', layers: [1] }),
    parameters: 2 * 2 * 24 + 2 * 12,
  },
  'lora with all biases': {
    make: () => lora({ rank: 2, bias: 'all' }),
    parameters: 2 * 2 * 2 * 24 + 2 * (5 * 12 + 24 + 2 * 12) + 2 * 12,
    step: 2e-3,
  },
  'lora, gaussian': { make: () => lora({ rank: 2, init: 'gaussian' }), parameters: 2 * 2 * 2 * 24 },
  'lora, orthogonal': { make: () => lora({ rank: 4, init: 'orthogonal' }), parameters: 2 * 2 * 4 * 24 },
  PiSSA: {
    make: () => lora({ rank: 2, alpha: 3, init: 'pissa', targets: ['query', 'fc1'] }),
    parameters: 2 * 2 * (24 + 36),
    step: 5e-3,
  },
  'PiSSA of DoRA': {
    make: () => lora({ rank: 2, init: 'pissa', dora: true }),
    parameters: 2 * 2 * (2 * 24 + 12),
  },
  OLoRA: {
    make: () => lora({ rank: 2, alpha: 3, init: 'olora', targets: ['query', 'fc2'] }),
    parameters: 2 * 2 * (24 + 36),
    step: 5e-3,
  },
  'LoRA+': { make: () => lora({ rank: 2, lrRatio: 16 }), parameters: 2 * 2 * 2 * 24 },
  'LoRA-FA': { make: () => lora({ rank: 2, freezeA: true }), parameters: 2 * 2 * 2 * 12 },
  hira: { make: () => hira({ rank: 2, targets: all }), parameters: 2 * 2 * (8 * 12 + 2 * 36), step: 5e-3 },
  miss: { make: () => miss({ rank: 4, targets: all }), parameters: 2 * 4 * (5 * 12 + 24), step: 4e-3 },
  'miss of a rank that does not divide the inputs': {
    make: () => miss({ rank: 5 }),
    parameters: 2 * 2 * 5 * 12,
  },
  shira: { make: () => shira({ rank: 2, targets: all }), parameters: 2 * 2 * (8 * 12 + 2 * 36) },
  'localized on all maps': {
    make: () => localizedLora({ blocks: 2, blockRank: 1, targets: all }),
    parameters: 2 * 2 * (8 * 12 + 2 * 36),
  },
};

const images = () => {
  const random = randomStream(5, 'images');
  return tensor(
    Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => normal(random)),
    [2, 8, 8, 3],
  );
};

function build(adapter?: Adapter): Segmenter {
  const model = createSegmenter(config, { classes: 3, seed: 7 });
  // Larger weights than a ViT starts from, so that every path matters.
  for (const parameter of model.parameters)
    if (parameter.group === 'backbone' && parameter.value.rank === 2)
      model.parameters.set(
        parameter.name,
        tidy(() => mul(parameter.value, 12)),
      );
  return adapter ? model.inject(adapter, 7) : model;
}

/** Moves every adapter parameter away from where it started. */
function stir(model: Segmenter): void {
  for (const { name, group, value, trainable } of model.parameters)
    if (trainable && group === 'adapter') {
      const random = randomStream(3, name);
      const moved = Float32Array.from(value.dataSync(), (x) => x + 0.3 * normal(random));
      model.parameters.set(name, tensor(moved, value.shape));
    }
}

const distance = (a: Tensor, b: Tensor) => tidy(() => max(abs(sub(a, b))).dataSync()[0]!);

describe('the contract of adapters', () => {
  for (const [name, { make, parameters, step = 2e-2 }] of Object.entries(adapters))
    describe(name, () => {
      it('is the base model at the start', () => {
        const x = images();
        const [plain, adapted] = [build(), build(make())];
        const [a, b] = [plain.forward(x), adapted.forward(x)];
        assert.ok(distance(a, b) < 1e-5);
        dispose([x, a, b]);
        plain.dispose();
        adapted.dispose();
      });

      it('has the parameters of its formula, and only these and the head are trainable', () => {
        const model = build(make());
        assert.equal(model.parameters.count('adapter'), parameters);
        assert.equal(model.parameters.count('backbone'), 0);
        assert.ok(model.parameters.count('head') > 0);
        model.dispose();
      });

      it('merges into the same function, and unmerges into the very same weights', () => {
        const x = images();
        const model = build(make());
        const before = model.parameters.get('layers.1.query.weight').dataSync();
        stir(model);
        const adapted = model.forward(x);
        model.merge();
        const merged = model.forward(x);
        model.unmerge();
        const again = model.forward(x);
        assert.ok(distance(adapted, merged) < 2e-5, `merged differs by ${distance(adapted, merged)}`);
        assert.equal(distance(adapted, again), 0);
        assert.deepEqual(model.parameters.get('layers.1.query.weight').dataSync(), before);
        dispose([x, adapted, merged, again]);
        model.dispose();
      });

      it('changes the model once its parameters move', () => {
        const x = images();
        const model = build(make());
        const before = model.forward(x);
        stir(model);
        const after = model.forward(x);
        assert.ok(distance(before, after) > 1e-3);
        dispose([x, before, after]);
        model.dispose();
      });

      it('has the gradient of central differences', () => {
        const model = build(make());
        stir(model);
        const x = images();
        const loss = () => tidy(() => sum(mul(model.forward(x), 0.05)) as Tensor);
        const moving = model.parameters.trainable().filter(({ group }) => group === 'adapter');
        const { value, grads } = engine().gradients(
          () => loss(),
          moving.map((parameter) => parameter.value),
        );
        moving.forEach((parameter, p) => {
          if (parameter.name.endsWith('lora_magnitude') || make().name !== 'dora') {
            const data = parameter.value.dataSync().slice() as Float32Array;
            const gradient = grads[p]!.dataSync();
            for (const i of [0, data.length >> 1, data.length - 1]) {
              const at = (shift: number) => {
                model.parameters.set(
                  parameter.name,
                  tensor(data.with(i, data[i]! + shift), parameter.value.shape),
                );
                const result = loss();
                const number = result.dataSync()[0]!;
                result.dispose();
                return number;
              };
              const numeric = (at(-2 * step) - 8 * at(-step) + 8 * at(step) - at(2 * step)) / (12 * step);
              assert.ok(
                Math.abs(numeric - gradient[i]!) < 5e-3 * (1 + Math.abs(numeric)),
                `${parameter.name}[${i}]: numeric ${numeric}, got ${gradient[i]}`,
              );
            }
            model.parameters.set(parameter.name, tensor(data, parameter.value.shape));
          }
        });
        dispose([value, ...grads, x]);
        model.dispose();
      });
    });

  /** Adds a trained vector to each output: what it changes is the bias alone. */
  const shift = (merged?: NonNullable<Adapter['merged']>): Adapter => ({
    name: 'shift',
    settings: {},
    targets: ['query', 'fc1'],
    parameters: ({ layer, target, outputs }) => [
      { name: `layers.${layer}.${target}.shift`, shape: [outputs], init: 0 },
    ],
    apply: (_site, x, { weight, bias }, { own }) => ({ x, weight, bias: add(bias, own('shift')) }),
    ...(merged && { merged }),
  });

  it('trains parameters of the backbone, keeps them when merged, and lends siblings what it began with', () => {
    const x = images();
    const model = build();
    const plain = model.forward(x);
    model.inject({ ...lora({ rank: 2 }), trains: (name) => name.endsWith('query.bias') }, 7);
    assert.deepEqual(
      model.parameters
        .trainable()
        .filter(({ adopted }) => adopted)
        .map(({ name }) => name),
      ['layers.0.query.bias', 'layers.1.query.bias'],
    );
    assert.equal(model.parameters.count('adapter'), 2 * 2 * 2 * 24 + 2 * 12);
    const sibling = model.sibling({ classes: 3, seed: 7 });
    assert.deepEqual(
      [...sibling.parameters].filter(({ adopted, group }) => adopted || group === 'adapter'),
      [],
    );
    stir(model);
    const adapted = model.forward(x);
    const bias = model.parameters.get('layers.1.query.bias').dataSync();
    model.merge();
    const merged = model.forward(x);
    assert.deepEqual(model.parameters.get('layers.1.query.bias').dataSync(), bias);
    model.unmerge();
    const again = model.forward(x);
    const beside = sibling.forward(x);
    assert.ok(distance(plain, adapted) > 1e-3);
    assert.ok(distance(adapted, merged) < 2e-5);
    assert.equal(distance(adapted, again), 0);
    assert.equal(distance(plain, beside), 0);
    dispose([x, plain, adapted, merged, again, beside]);
    model.dispose();
    sibling.dispose();
  });

  it('refuses an adapter that neither brings nor trains a parameter', () => {
    const model = build();
    for (const trains of [undefined, () => false, (name: string) => name.startsWith('head.')])
      assert.throws(
        () => model.inject({ ...bitFit(), trains }, 1),
        /bitfit: expected an adapter that brings or trains a parameter, got one that does neither/,
      );
    assert.throws(
      () => model.inject(bitFit({ layers: [2] }), 1),
      /layers: expected blocks from 0 to 1, got 2/,
    );
    model.inject(bitFit(), 1);
    model.dispose();
  });

  it('merges a change of the bias, and unmerges it', () => {
    const x = images();
    const model = build(shift((_site, weight, own, bias) => ({ weight, bias: add(bias, own('shift')) })));
    stir(model);
    const adapted = model.forward(x);
    model.merge();
    const merged = model.forward(x);
    model.unmerge();
    const again = model.forward(x);
    assert.ok(distance(adapted, merged) < 2e-5);
    assert.equal(distance(adapted, again), 0);
    dispose([x, adapted, merged, again]);
    model.dispose();
  });

  for (const [what, merged, message] of [
    [
      'that does nothing',
      (_site, weight) => weight,
      /shift: expected merged\(\) to be the function that apply\(\) is/,
    ],
    [
      'of another function',
      (_site, weight, own, bias) => ({ weight, bias: sub(bias, own('shift')) }),
      /got another at query of block 0/,
    ],
    [
      'that is absent',
      undefined,
      /shift: expected an adapter that can be merged, got one without merged\(\)/,
    ],
  ] as const satisfies readonly (readonly [string, Adapter['merged'], RegExp])[])
    it(`refuses a merged ${what}, and leaves the model as it was`, () => {
      const x = images();
      const model = build(shift(merged));
      stir(model);
      const before = model.forward(x);
      assert.throws(() => model.merge(), message);
      const after = model.forward(x);
      assert.equal(distance(before, after), 0);
      dispose([x, before, after]);
      model.dispose();
    });

  it('refuses impossible settings', () => {
    assert.throws(() => lora({ rank: 0 }), /rank: expected an integer from 1 up, got 0/);
    assert.throws(() => lora({ rank: 1, targets: ['nose' as Target] }), /targets: expected query.* got nose/);
    assert.throws(() => lora({ rank: 1, dropout: 1 }), /dropout/);
    assert.throws(() => lora({ rank: 1, layers: [] }), /layers: expected at least one block, got none/);
    for (const alpha of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const make of [
        () => lora({ rank: 1, alpha }),
        () => serialLora({ rank: 1, alpha }),
        () => localizedLora({ blocks: 1, blockRank: 1, alpha }),
      ])
        assert.throws(make, /alpha: expected a finite number, got (NaN|Infinity)/);
    const model = build();
    assert.throws(
      () => model.inject(localizedLora({ blocks: 5, blockRank: 1 }), 1),
      /blocks: expected a divisor/,
    );
    assert.throws(
      () => model.inject(lora({ rank: 1, layers: [2] }), 1),
      /layers: expected blocks from 0 to 1, got 2/,
    );
    model.dispose();
  });

  it('leaves the model as it was where it refuses a later map', () => {
    const model = createSegmenter({ ...config, intermediate_size: 20 }, { classes: 3, seed: 7 });
    const adapter = localizedLora({ blocks: 3, blockRank: 1, targets: ['query', 'fc1'] });
    assert.throws(
      () => model.inject(adapter, 1),
      /blocks: expected a divisor of fc1's 12 inputs and 20 outputs/,
    );
    model.inject(lora({ rank: 1 }), 1);
    const brought = [...model.parameters].filter(({ group }) => group === 'adapter');
    assert.ok(brought.every(({ name }) => /lora_[AB]$/.test(name)));
    model.dispose();
  });
});
