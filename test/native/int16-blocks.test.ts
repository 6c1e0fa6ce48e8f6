import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../src/engine/tfjs.js';
import { ones, setBackend, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { lora } from '../../src/adapters/lora.js';
import { readImage } from '../../src/data/images/image-file.js';
import { IMAGENET } from '../../src/data/images/normalization.js';
import { resizeBilinear } from '../../src/data/pixels/resize.js';
import { int8Errors } from '../../src/model/vit/int16-blocks.js';
import { readPretrained } from '../../src/model/vit/pretrained.js';
import { type Segmenter, segmenterOf } from '../../src/tasks/segmentation/segmenter.js';
import { tinyBackbone } from '../recipes/tiny-backbone.js';
import { needsSharedData } from '../shared-data.js';
import { needOnednn, startOnednn } from './onednn.js';
import { outlierBackbone } from './outliers.js';

const SIDE = 224;

/** Every 75th photograph of a folder, normalised. */
async function photographsOf(folder: string): Promise<Float32Array> {
  const names = readdirSync(folder).filter((name, i) => name.endsWith('.jpg') && i % 75 === 0);
  const pixels = await Promise.all(
    names.map(async (name) => resizeBilinear(await readImage(join(folder, name)), SIDE, SIDE).data),
  );
  const { mean, std } = IMAGENET;
  return Float32Array.from(
    pixels.flatMap((data) => [...data]),
    (value, i) => (value / 255 - mean[i % 3]!) / std[i % 3]!,
  );
}

/** The names of the weights that are multiplied in int16. */
const wide = ({ parameters }: Segmenter) =>
  [...parameters].filter(({ int16 }) => int16).map(({ name }) => name);

const BLOCK_1 = ['query', 'key', 'value', 'output', 'fc1', 'fc2'].map((map) => `layers.1.${map}.weight`);

describe('blocks in int16 of a model in int8', () => {
  let dir: string;
  let folder: string;
  before(needOnednn);
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    folder = await outlierBackbone(dir);
  });
  after(async () => {
    await setBackend('cpu');
    if (dir) rmSync(dir, { recursive: true });
  });
  const load = async (from = folder) => segmenterOf(await readPretrained(from), { classes: 3, seed: 1 });
  const forward = (model: Segmenter) =>
    tidy(() =>
      model
        .forward(ones([1, 16, 16, 3]))
        .dataSync()
        .slice(),
    );

  it('are those with outliers, and no others', async () => {
    await startOnednn('int8');
    const model = await load();
    const errors = int8Errors(model).map(({ block, error }) => [block, error] as const);
    assert.deepEqual(
      errors.map(([block, error]) => [block, error > 0.05]),
      [
        [undefined, false],
        [0, false],
        [1, true],
      ],
      JSON.stringify(errors),
    );
    assert.deepEqual(wide(model).toSorted(), BLOCK_1.toSorted());
    model.dispose();
    const plain = join(dir, 'plain');
    mkdirSync(plain);
    const benign = await load(await tinyBackbone(plain));
    assert.deepEqual(wide(benign), []);
    benign.dispose();
  });

  it('are chosen alike by 1 thread and by 2, under an adapter, and for a sibling', async () => {
    const [choices, numbers]: [unknown[], number[][]] = [[], []];
    for (const threads of [1, 2]) {
      await startOnednn('int8', threads);
      const model = await load();
      const errors = int8Errors(model).map(({ error }) => error);
      const sibling = model.sibling({ classes: 3, seed: 1 });
      model.inject(lora({ rank: 2 }), 1);
      choices.push([wide(model), wide(sibling)]);
      numbers.push([...errors, ...forward(model), ...forward(sibling)]);
      model.dispose();
      sibling.dispose();
    }
    assert.deepEqual(choices[0], choices[1]);
    // Integers are summed alike; where the rest is in f32, oneDNN may add it up in another order on another number of threads.
    numbers[0]!.forEach((x, i) =>
      assert.ok(Math.abs(x - numbers[1]![i]!) < 1e-5 * Math.max(1, Math.abs(x)), `${i}: ${x}`),
    );
  });

  it('bring the model nearer to what it says in int16', async () => {
    await startOnednn('int8');
    const model = await load();
    const chosen = forward(model);
    const weights = [...model.parameters].filter(({ int16 }) => int16);
    for (const weight of weights) weight.int16 = false;
    const narrow = forward(model);
    model.dispose();
    await startOnednn('int16');
    const other = await load();
    const expected = forward(other);
    assert.deepEqual(wide(other), []);
    other.dispose();
    const off = (got: typeof chosen) => Math.hypot(...got.map((x, i) => x - expected[i]!));
    assert.ok(off(chosen) < off(narrow), `${off(chosen)} and ${off(narrow)}`);
  });

  it('of DeiT-Tiny are those that err most on photographs, too', async function () {
    const pretrained = needsSharedData(this, 'vit_deit_tiny_patch16_224');
    const photographs = await photographsOf(join(needsSharedData(this, 'oxford_pets_3breeds'), 'images'));
    await startOnednn('int8');
    const model = await load(pretrained);
    const pictures = tensor4d(photographs, [photographs.length / SIDE / SIDE / 3, SIDE, SIDE, 3]);
    const [drawn, real] = [int8Errors(model), int8Errors(model, pictures)];
    const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
    drawn.forEach(({ block, error }, i) => {
      const name = block === undefined ? 'patch embedding' : `block ${block}`;
      console.log(
        `      ${name}: ${percent(error)} of the drawn picture, ${percent(real[i]!.error)} of photographs`,
      );
    });
    const chosen = drawn.filter(({ error }) => error > 0.05);
    assert.deepEqual(
      wide(model).toSorted(),
      chosen.flatMap(({ weights }) => weights.map(({ name }) => name)).toSorted(),
    );
    const worst = real.toSorted((a, b) => b.error - a.error).slice(0, chosen.length);
    assert.deepEqual(new Set(chosen.map(({ block }) => block)), new Set(worst.map(({ block }) => block)));
    const tokens = () => tidy(() => model.tokens(pictures).dataSync().slice() as Float32Array);
    const inInt16 = (isSo: (name: string) => boolean) => {
      for (const { weights } of drawn) for (const weight of weights) weight.int16 = isSo(weight.name);
      return tokens();
    };
    const names = wide(model);
    const exact = inInt16(() => true);
    const size = (numbers: typeof exact) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
    const off = (got: typeof exact) => size(got.map((x, i) => x - exact[i]!)) / size(exact);
    const [before, after] = [off(inInt16(() => false)), off(inInt16((name) => names.includes(name)))];
    console.log(`      all blocks: ${percent(before)} of photographs; with the choice: ${percent(after)}`);
    assert.ok(after < 0.6 * before);
    pictures.dispose();
    model.dispose();
  });
});
