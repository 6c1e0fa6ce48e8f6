import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { oneRun } from '../../../src/experiment/one-run.js';
import { run } from '../../recipes/run.js';
import { needsSharedData } from '../../shared-data.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

describe('the pets through each export', () => {
  it('transformers, PEFT and onnxruntime have our hard mIoU on the test split', async function () {
    const pets = needsSharedData(this, 'oxford_pets_3breeds');
    const base = needsSharedData(this, 'vit_deit_tiny_patch16_224');
    const python = await needsPython(this, 'interop', INTEROP);
    const dir = await mkdtemp(join(tmpdir(), 'millrace-pets-'));
    try {
      const [images, masks] = [join(pets, 'images'), join(pets, 'annotations', 'trimaps')];
      const lists = ['trainval', 'test'].map((name) => join(pets, 'annotations', `${name}.txt`));
      const data = [`--image-dir=${images}`, `--mask-dir=${masks}`, `--list=${lists.join()}`];
      const protocol = ['--lr=1e-3', '--weight-decay=1e-4', '--schedule=constant', '--precision=f32'];
      const adapter = ['--num-blocks-per-row=4', '--r-block=4', '--alpha=16'];
      const recipe = async (name: string, ...flags: string[]) => {
        const { code, stderr } = await run(name, flags, dir);
        assert.equal(code, 0, stderr);
      };
      const training = [...data, ...protocol, ...adapter, `--model-name=${base}`, '--epochs=1'];
      await recipe('train-localized', ...training, '--run-name=pets', '--pictures=0');
      for (const format of ['hf', 'adapter', 'onnx'])
        await recipe('export', '--model-dir=models/pets', `--format=${format}`, `--output-dir=out/${format}`);
      await recipe('inference', '--model-dir=models/pets', '--test-domains=in_domain', '--precision=f32');
      const [row] = JSON.parse(await readFile(join(dir, 'results/inference/individual.json'), 'utf8'));
      const { splits } = await oneRun(join(dir, 'models/pets'), {});
      const files = new Map((await readdir(images)).map((file) => [parse(file).name, join(images, file)]));
      const pairs = splits!.test.map((stem) => [files.get(stem), join(masks, `${stem}.png`)]);
      const script = new URL('pets_twin.py', import.meta.url);
      const theirs = await python.json<Record<string, number>>(script, [join(dir, 'out'), base], pairs);
      console.log(`      ${pairs.length} pictures: ours ${row.test.miou}, theirs ${JSON.stringify(theirs)}`);
      for (const [name, miou] of Object.entries(theirs))
        assert.ok(Math.abs(miou - row.test.miou) < 1e-4, `${name}: ${miou}, ours is ${row.test.miou}`);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
