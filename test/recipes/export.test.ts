import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { oneRun } from '../../src/experiment/one-run.js';
import { loadTrained } from '../../src/experiment/trained-runs.js';
import { readSafetensors } from '../../src/files/safetensors.js';
import { randomStream } from '../../src/random/random-stream.js';
import { loadClassifier } from '../../src/tasks/classification/classifier.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { type HubServer, hubServer, TOKEN } from '../files/hub-server.js';
import { close } from '../peers/torch/close.js';
import { run, type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone, untrained } from './trained.js';

describe('export', () => {
  let dir: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    await untrained(join(dir, 'models'), await tinyBackbone(join(dir, 'backbone')));
    const flags = ['--model-name=backbone', '--epochs=1', '--data-percentage=0.2', '--run-name=kinds'];
    const { code, stderr } = await shared.run(
      'train-classifier',
      ['--engine=cpu', '--out-dir=kinds', ...flags],
      dir,
    );
    assert.equal(code, 0, stderr);
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const exported = async (modelDir: string, format: string, ...more: string[]) => {
    const flags = ['--engine=cpu', `--model-dir=${modelDir}`, `--format=${format}`, ...more];
    return shared.run('export', flags, dir);
  };
  const random = randomStream(1, 'images');
  const numbers = Float32Array.from({ length: 2 * 16 * 16 * 3 }, () => random() - 0.5);
  const images = () => tensor(numbers, [2, 16, 16, 3]);

  it('writes merged weights whose tokens and head are the trained ones, and a card', async () => {
    const { code, stdout, stderr } = await exported('models', 'hf');
    assert.deepEqual([code, stderr], [0, '']);
    const out = join(dir, 'exports', 'lora_42_0.2-hf');
    const files = ['README.md', 'config.json', 'head.safetensors', 'model.safetensors'];
    assert.deepEqual(
      readdirSync(out)
        .filter((name) => !name.startsWith('.'))
        .toSorted(),
      [...files, 'preprocessor_config.json'],
    );
    assert.equal(stdout.trimEnd().split('\n').length, 5);
    const ours = await loadTrained(await oneRun(join(dir, 'models'), {}));
    const theirs = await loadSegmenter(out, { classes: 3, seed: 9 });
    tidy(() => close(theirs.tokens(images()), ours.tokens(images()).dataSync() as Float32Array, 'tokens'));
    const { tensors } = await readSafetensors(join(out, 'head.safetensors'));
    assert.deepEqual(
      [...tensors.get('classify.bias')!.data],
      [...ours.parameters.get('head.classify.bias').dataSync()],
    );
    ours.dispose();
    theirs.dispose();
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    assert.match(card, /^---\nlibrary_name: millrace\npipeline_tag: image-segmentation\n/);
    assert.match(card, /0 = pet, 1 = background, 2 = border/);
  });

  it('writes a classifier that its own class of transformers, and ours, read with its head', async () => {
    const { code, stderr } = await exported('kinds', 'hf', '--output-dir=breeds');
    assert.deepEqual([code, stderr], [0, '']);
    const { architectures, id2label } = JSON.parse(readFileSync(join(dir, 'breeds/config.json'), 'utf8'));
    assert.deepEqual(architectures, ['ViTForImageClassification']);
    const names = Object.values(id2label);
    const ours = await loadTrained(await oneRun(join(dir, 'kinds'), {}));
    const theirs = await loadClassifier(join(dir, 'breeds'), {
      classes: names.length,
      head: 'keep',
      seed: 9,
    });
    tidy(() => close(theirs.forward(images()), ours.forward(images()).dataSync() as Float32Array, 'logits'));
    ours.dispose();
    theirs.dispose();
    assert.match(readFileSync(join(dir, 'breeds/README.md'), 'utf8'), /\| macroF1 \| [\d.]+ \|/);
  });

  it("writes the adapter alone in PEFT's format, again with --overwrite only", async () => {
    for (const more of [[], ['--overwrite']]) {
      const { code, stderr } = await exported('models', 'adapter', '--output-dir=alone', ...more);
      assert.deepEqual([code, stderr], [0, '']);
    }
    const again = await exported('models', 'adapter', '--output-dir=alone');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /alone\/adapter_config\.json: expected no file of an earlier run/);
    const ours = await loadTrained(await oneRun(join(dir, 'models'), {}));
    const base = await loadSegmenter(join(dir, 'backbone'), { classes: 3, seed: 9 });
    const theirs = await loadPeft(base, join(dir, 'alone'));
    tidy(() => close(theirs.forward(images()), ours.forward(images()).dataSync() as Float32Array, 'logits'));
    ours.dispose();
    theirs.dispose();
  });

  describe('--push-to', () => {
    let hub: HubServer;
    before(async () => {
      hub = await hubServer();
    });
    after(() => hub.close());
    const pushed = (env: NodeJS.ProcessEnv, ...more: string[]) =>
      run('export', ['--engine=cpu', '--model-dir=models', '--format=hf', ...more], dir, {
        HF_ENDPOINT: hub.url,
        HF_HOME: join(dir, 'home'),
        HF_TOKEN: '',
        HUGGING_FACE_HUB_TOKEN: '',
        ...env,
      });

    it('uploads all files and the card in one commit, and makes the repository', async () => {
      for (const more of [['--private'], ['--overwrite']]) {
        const flags = ['--output-dir=pushed', '--push-to=me/pets', ...more];
        const { code, stdout, stderr } = await pushed({ HF_TOKEN: TOKEN }, ...flags);
        assert.deepEqual([code, stderr], [0, '']);
        assert.equal(stdout.trimEnd().split('\n').at(-1), `${hub.url}/me/pets`);
      }
      const files = hub.repos.get('me/pets')!;
      const local = readdirSync(join(dir, 'pushed')).filter((name) => !name.startsWith('.'));
      assert.deepEqual([...files.keys()].toSorted(), local.toSorted());
      assert.ok(local.includes('README.md'));
      for (const [name, data] of files) assert.ok(data.equals(readFileSync(join(dir, 'pushed', name))), name);
      assert.deepEqual(
        hub.commits.map(({ summary, files: all }) => [summary, all.length]),
        [
          ['Upload lora_42_0.2', 5],
          ['Upload lora_42_0.2', 5],
        ],
      );
      // A hub with xet takes that; this one has LFS alone.
      assert.deepEqual(
        hub.offered.map((transfers) => [transfers.includes('xet'), transfers.includes('basic')]),
        [
          [true, true],
          [true, true],
        ],
      );
      const model = [
        '--model-name=me/pets',
        '--epochs=1',
        '--data-percentage=0.1',
        '--run-name=again',
        '--out-dir=fetched',
      ];
      const env = { HF_ENDPOINT: hub.url, HF_HOME: join(dir, 'home') };
      const { code, stderr } = await run('train-lora', ['--engine=cpu', '--rank=2', ...model], dir, env);
      assert.equal(code, 0, stderr);
    });

    it('asks the hub nothing without the flag, or without a token, or for what is no name', async () => {
      const asked = hub.requests.length;
      assert.equal((await pushed({ HF_TOKEN: TOKEN }, '--output-dir=quiet')).code, 0);
      for (const [env, name, message] of [
        [
          {},
          'me/pets',
          /^export: --push-to me\/pets: expected a token with the right to write, got none; set HF_TOKEN/m,
        ],
        [{ HF_TOKEN: TOKEN }, 'pets', /--push-to pets: expected owner\/name, such as me\/pets/],
        [{ HF_TOKEN: TOKEN, HF_HUB_OFFLINE: '1' }, 'me/pets', /got HF_HUB_OFFLINE; unset it/],
      ] as const) {
        const { code, stderr } = await pushed(env, '--output-dir=none', `--push-to=${name}`);
        assert.equal(code, 1);
        assert.match(stderr, message);
      }
      assert.ok(!existsSync(join(dir, 'none')));
      assert.equal(hub.requests.length, asked);
    });

    it('keeps the export where the hub refuses it, and says so', async () => {
      const flags = ['--output-dir=kept', '--push-to=me/other'];
      const refused = await pushed({ HF_TOKEN: 'hf_bad' }, ...flags);
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /expected a token with the right to write there, got HTTP 401; .* is in kept/,
      );
      assert.ok(existsSync(join(dir, 'kept', 'README.md')));
      const env = { HF_TOKEN: TOKEN, HF_ENDPOINT: 'http://127.0.0.1:9' };
      const alone = await pushed(env, ...flags, '--overwrite');
      assert.match(alone.stderr, /expected the hub to answer, got fetch failed/);
      assert.ok(!hub.repos.has('me/other'));
    });
  });

  it('writes ONNX with the names of the classes, and says how to load it', async () => {
    const { code, stderr } = await exported('models', 'onnx', '--output-dir=on');
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(readFileSync(join(dir, 'on/onnx/model.onnx')).includes('["pet","background","border"]'));
    const { id2label } = JSON.parse(readFileSync(join(dir, 'on/config.json'), 'utf8'));
    assert.deepEqual(id2label, { 0: 'pet', 1: 'background', 2: 'border' });
    assert.match(readFileSync(join(dir, 'on/README.md'), 'utf8'), /onnxruntime\.InferenceSession/);
  });
});
