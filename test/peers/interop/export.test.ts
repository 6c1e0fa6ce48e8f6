import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { concat, dispose, tensor, tidy, transpose } from '@tensorflow/tfjs-core';
import type { Python } from '../../../bench/peers/python.js';
import { readImage } from '../../../src/data/images/image-file.js';
import { oneRun } from '../../../src/experiment/one-run.js';
import { loadTrained } from '../../../src/experiment/trained-runs.js';
import { safetensorsBytes } from '../../../src/files/safetensors-format.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { run } from '../../recipes/run.js';
import { plain } from '../../recipes/trained.js';
import { needsPackage } from '../from-npm.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

const twin = new URL('export_twin.py', import.meta.url);

/** What transformers.js of a `node_modules` makes of an export. */
async function transformersJs(
  modules: string,
  input: object,
): Promise<{ dims: number[]; logits: number[]; processed: number[] }> {
  const script = fileURLToPath(new URL('transformers-twin.mjs', import.meta.url));
  const child = execFile(process.execPath, [script, modules], { maxBuffer: 2 ** 28 });
  child.stdin!.end(JSON.stringify(input));
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  assert.ok(stdout, stderr);
  return JSON.parse(stdout);
}
const picture = join(plain, 'images', 'bear_10.jpg');

describe('what we export', () => {
  let python: Python;
  let dir: string;
  before(async function () {
    python = await needsPython(this, 'interop', INTEROP);
    dir = await mkdtemp(join(tmpdir(), 'millrace-export-'));
    const shared = ['--engine=wasm', '--data-percentage=0.2', '--epochs=1'];
    for (const [recipe, name, ...more] of [
      ['train-localized', 'plain'],
      ['train-lora', 'normed', '--dora', '--batch-norm', '--image-size=96x64'],
      ['train-classifier', 'kinds'],
    ] as const) {
      const { code, stderr } = await run(recipe, [...shared, `--run-name=${name}`, ...more], dir);
      assert.equal(code, 0, stderr);
    }
    for (const name of ['plain', 'normed', 'kinds'])
      for (const format of ['hf', 'onnx', 'adapter']) {
        const flags = [`--model-dir=models/${name}`, `--format=${format}`, '--engine=wasm'];
        const { code, stderr } = await run('export', flags, dir);
        assert.equal(code, 0, stderr);
      }
  });
  after(async () => {
    if (dir) await rm(dir, { recursive: true });
  });

  for (const name of ['plain', 'normed', 'kinds']) {
    it(`${name}: onnxruntime computes our logits, whatever the batch`, async () => {
      const model = await loadTrained(await oneRun(join(dir, 'models', name), {}));
      const { width, height } = model.imageSize;
      const random = randomStream(1, name);
      const numbers = Float32Array.from({ length: 3 * 3 * width * height }, () => 4 * random() - 2);
      const images = tensor(numbers, [3, 3, height, width]);
      const logits = tidy(() => {
        const ours = model.forward(transpose(images, [0, 2, 3, 1]));
        return ours.rank === 4 ? transpose(ours, [0, 3, 1, 2]) : concat([ours]);
      });
      const expected = join(dir, `${name}.safetensors`);
      const data = (await logits.data()) as Float32Array;
      const tensors = new Map([
        ['images', { shape: images.shape, data: numbers }],
        ['logits', { shape: logits.shape, data }],
      ]);
      await writeFile(expected, safetensorsBytes(tensors));
      dispose([images, logits]);
      model.dispose();
      const file = join(dir, 'exports', `${name}-onnx`, 'onnx', 'model.onnx');
      const worst = await python.json<number>(twin, ['onnx', file, expected]);
      assert.ok(worst < 1e-4, `logits differ by ${worst}`);
    });

    it(`${name}: transformers.js loads the ONNX export from its folder and computes our logits`, async function () {
      const modules = await needsPackage(this, '@huggingface/transformers', '4.3.2');
      const model = await loadTrained(await oneRun(join(dir, 'models', name), {}));
      const { width, height } = model.imageSize;
      const random = randomStream(2, name);
      const numbers = Float32Array.from({ length: 3 * width * height }, () => 4 * random() - 2);
      const images = tensor(numbers, [1, 3, height, width]);
      const logits = tidy(() => {
        const ours = model.forward(transpose(images, [0, 2, 3, 1]));
        return ours.rank === 4 ? transpose(ours, [0, 3, 1, 2]) : concat([ours]);
      });
      const expected = (await logits.data()) as Float32Array;
      const { shape } = logits;
      dispose([images, logits]);
      model.dispose();
      const input = {
        folder: join(dir, 'exports', `${name}-onnx`),
        size: [height, width],
        numbers: [...numbers],
      };
      const theirs = await transformersJs(modules, input);
      assert.deepEqual(theirs.dims, shape);
      const worst = theirs.logits.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0);
      assert.ok(worst < 1e-4, `logits differ by ${worst}`);
      // Its processor resizes to the model's size, as the preprocessor's config says.
      assert.deepEqual(theirs.processed, [1, 3, height, width]);
    });

    for (const format of ['hf', 'onnx'])
      it(`${name}: the Python of the ${format} card runs, and says what predict says`, async () => {
        const flags = ['--image-dir', join(plain, 'images'), '--output-dir', `predicted-${name}`];
        const more = [`--model-dir=models/${name}`, '--engine=wasm', '--overwrite', '--no-overlays'];
        const ours = await run('predict', [...flags, ...more], dir);
        assert.equal(ours.code, 0, ours.stderr);
        const readme = join(dir, 'exports', `${name}-${format}`, 'README.md');
        const printed = await python.text(twin, ['card', readme, picture]);
        const { classes } = JSON.parse(printed.trimEnd().split('\n').at(-1)!) as { classes: number[] };
        if (name === 'kinds') {
          const line = (await readFile(join(dir, `predicted-${name}`, 'predictions.jsonl'), 'utf8'))
            .split('\n')
            .find((one) => one.includes('"bear_10.jpg"'))!;
          const { label, probabilities } = JSON.parse(line);
          assert.equal(Object.keys(probabilities)[classes[0]!], label);
          return;
        }
        const { data } = await readImage(join(dir, `predicted-${name}`, 'masks', 'bear_10.png'));
        // The card of ONNX answers at the model's size.
        if (format === 'onnx') return assert.ok(new Set(classes).size > 1);
        assert.equal(classes.length * 3, data.length);
        const { readMask } = await import('../../../src/data/images/image-file.js');
        const mask = await readMask(join(dir, `predicted-${name}`, 'masks', 'bear_10.png'));
        const differing = classes.filter((k, i) => mask.data[i] !== k + 1).length;
        assert.ok(differing / classes.length < 1e-3, `${differing} of ${classes.length} pixels differ`);
      });
  }

  for (const name of ['plain', 'normed', 'kinds'])
    it(`${name}: PEFT loads the whole adapter by the Python of its card`, async () => {
      const readme = join(dir, 'exports', `${name}-adapter`, 'README.md');
      const lines = (await python.text(twin, ['adapter', readme])).trimEnd().split('\n');
      const lengths = Object.values(JSON.parse(lines.at(-1)!) as Record<string, number>);
      assert.ok(lengths.length > 0 && lengths.every((length) => length > 0), lines.at(-1));
    });

  it("onnxruntime's hard mIoU on the test split is ours, from the files' own pixels", async () => {
    const flags = ['--model-dir=models/plain', '--test-domains=in_domain', '--engine=wasm'];
    const { code, stderr } = await run('inference', flags, dir);
    assert.equal(code, 0, stderr);
    const [row] = JSON.parse(await readFile(join(dir, 'results/inference/individual.json'), 'utf8'));
    const { splits } = await oneRun(join(dir, 'models/plain'), {});
    const pairs = splits!.test.map((stem) => [
      join(plain, 'images', `${stem}.jpg`),
      join(plain, 'masks', `${stem}.png`),
    ]);
    const file = join(dir, 'exports/plain-onnx/onnx/model.onnx');
    const theirs = await python.json<number>(twin, ['miou', file], pairs);
    assert.ok(Math.abs(theirs - row.test.miou) < 1e-4, `${theirs}, ours is ${row.test.miou}`);
  });
});
