import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import '../../src/engine/tfjs.js';
import {
  type Scalar,
  setBackend,
  type Tensor,
  tensor,
  tensor3d,
  tensor4d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { lora } from '../../src/adapters/lora.js';
import type { Onednn } from '../../src/engine/onednn.js';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { readPretrained } from '../../src/model/vit/pretrained.js';
import { randomStream } from '../../src/random/random-stream.js';
import { classifierOf } from '../../src/tasks/classification/classifier.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { segmenterOf } from '../../src/tasks/segmentation/segmenter.js';
import { needsSharedData } from '../shared-data.js';
import { needOnednn, startOnednn } from './onednn.js';

const PRECISIONS = ['f32', 'bf16', 'int16', 'int8'] as const satisfies Onednn['precision'][];
type Numbers = Float32Array | readonly number[];

const size = (numbers: Numbers) => Math.sqrt([...numbers].reduce((sum, x) => sum + x * x, 0));

/** The size of the difference by the size of what is expected. */
function errorOf(got: Numbers, expected: Numbers): number {
  return size([...got].map((x, i) => x - expected[i]!)) / size(expected);
}

/** A float32 array of numpy's .npy format, version 1, of an image [1, 3, 224, 224], as [1, 224, 224, 3]. */
async function readImage(path: string): Promise<Tensor> {
  const bytes = await readFile(path);
  const start = bytes.byteOffset + 10 + bytes.readUInt16LE(8);
  const pixels = new Float32Array(bytes.buffer.slice(start, bytes.byteOffset + bytes.length) as ArrayBuffer);
  return tidy(() => transpose(tensor4d(pixels, [1, 3, 224, 224]), [0, 2, 3, 1]));
}

/** DeiT-Tiny's logits of the three pictures, where the reference has some: the first eight, and the top five. */
async function logitErrors(folder: string): Promise<number[]> {
  const reference = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as {
    logits_first8: number[][];
    top5: [number, number][][];
    top1: number[];
  };
  const model = classifierOf(await readPretrained(folder), { classes: 1000, head: 'keep', seed: 1 });
  const errors: number[] = [];
  for (const [i, first] of reference.logits_first8.entries()) {
    const image = await readImage(join(folder, 'samples', `${i}.npy`));
    const logits = tidy(() => model.forward(image).dataSync().slice()) as Float32Array;
    image.dispose();
    const places = [...first.map((value, place) => [place, value] as const), ...reference.top5[i]!];
    const got = places.map(([place]) => logits[place]!);
    errors.push(
      errorOf(
        got,
        places.map(([, value]) => value),
      ),
    );
    assert.equal(logits.indexOf(Math.max(...logits)), reference.top1[i]);
  }
  model.dispose();
  return errors;
}

/** The gradients of one LoRA step of DeiT-Tiny, whose maps that start as zeros are small random numbers. */
async function stepGradients(folder: string): Promise<Float32Array> {
  const model = segmenterOf(await readPretrained(folder), { classes: 3, seed: 1 });
  model.inject(lora({ rank: 8 }), 1);
  const random = randomStream(1, 'step');
  const drawn = (count: number) => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.04);
  for (const { name, group, value } of model.parameters)
    if (group === 'adapter') model.parameters.set(name, tensor(drawn(value.size), value.shape));
  const image = await readImage(join(folder, 'samples', '0.npy'));
  const masks = tensor3d(
    Int32Array.from({ length: 224 * 224 }, (_, i) => (i % 224 < 112 ? 0 : i < 25_000 ? 1 : 2)),
    [1, 224, 224],
    'int32',
  );
  const trained = [...model.parameters].filter(({ trainable }) => trainable);
  const gradients = tidy(() => {
    const loss = () => logCoshDice()(model.forward(image) as never, masks as never) as Scalar;
    const found = valueAndGradients(
      loss,
      trained.map(({ value }) => value),
    ).gradients;
    return found.flatMap((gradient) => [...gradient!.dataSync()]);
  });
  image.dispose();
  masks.dispose();
  model.dispose();
  return Float32Array.from(gradients);
}

describe('DeiT-Tiny by precision on the onednn engine', () => {
  before(needOnednn);
  after(() => setBackend('cpu'));
  const percent = (x: number) => `${(100 * x).toPrecision(2)} %`;

  it("logits are the reference's: 0.001 % in f32, 0.2 % in int16, 2 % in bf16, 6 % in int8", async function () {
    const folder = needsSharedData(this, 'vit_deit_tiny_patch16_224');
    const largest: Record<string, number> = {};
    for (const precision of PRECISIONS) {
      await startOnednn(precision);
      const errors = await logitErrors(folder);
      console.log(`      logits, ${precision.padEnd(5)} ${errors.map(percent).join(', ')}`);
      largest[precision] = Math.max(...errors);
    }
    const bounds = { f32: 1e-5, bf16: 2e-2, int16: 2e-3, int8: 6e-2 };
    for (const precision of PRECISIONS)
      assert.ok(largest[precision]! <= bounds[precision], `${precision}: ${largest[precision]}`);
    assert.ok(largest['int16']! < largest['bf16']! && largest['f32']! < largest['int16']!);
  });

  it("a LoRA step's gradients are those of f32: in int16 three times as near as in bf16", async function () {
    const folder = needsSharedData(this, 'vit_deit_tiny_patch16_224');
    await startOnednn('f32');
    const expected = await stepGradients(folder);
    const errors: Record<string, number> = {};
    for (const precision of ['bf16', 'int16', 'int8'] as const) {
      await startOnednn(precision);
      errors[precision] = errorOf(await stepGradients(folder), expected);
      console.log(`      gradients, ${precision.padEnd(5)} ${percent(errors[precision]!)}`);
    }
    assert.ok(errors['int16']! > 0 && errors['int16']! < errors['bf16']! / 3, JSON.stringify(errors));
    assert.ok(errors['int16']! < 0.03 && errors['int8']! < 0.2, JSON.stringify(errors));
  });
});
