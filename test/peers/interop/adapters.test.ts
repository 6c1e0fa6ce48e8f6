import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, tensor } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import { loadPeft } from '../../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../../src/adapters/peft/save-peft.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { TARGETS, type Target } from '../../../src/model/targets.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import type { Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { close } from '../torch/close.js';
import { INTEROP } from './requirements.js';

/** LayerScale is part of the other two maps here. */
const UNSCALED: readonly Target[] = ['query', 'key', 'value', 'fc1'];
const QUERIES = ['q_proj', 'v_proj'];
const PLAIN = [...QUERIES, 'fc1', 'fc2', 'o_proj'];

/** The maps that we adapt and the biases that we train, and the modules that PEFT adapts. */
const FAMILIES: Readonly<
  Record<string, readonly [readonly Target[], 'none' | 'lora_only' | 'all', readonly string[]]>
> = {
  dinov2: [UNSCALED, 'lora_only', [...QUERIES, 'fc1']],
  'dinov2-registers': [UNSCALED, 'lora_only', [...QUERIES, 'fc1']],
  'dinov2-gated': [UNSCALED, 'none', [...QUERIES, 'up_proj']],
  'deit-distilled': [TARGETS, 'all', PLAIN],
  'vit-msn': [TARGETS, 'none', PLAIN],
  'vit-mae': [TARGETS, 'lora_only', PLAIN],
  dinov3: [UNSCALED, 'none', [...QUERIES, 'up_proj']],
  'dinov3-gated': [['query', 'fc1'], 'none', [...QUERIES, 'up_proj']],
  ijepa: [TARGETS, 'all', PLAIN],
  siglip: [TARGETS, 'all', [...QUERIES, 'fc1', 'fc2', 'out_proj']],
  clip: [TARGETS, 'lora_only', [...QUERIES, 'fc1', 'fc2', 'out_proj']],
};

describe('adapters of other families and PEFT', () => {
  let dir: string;
  const models = new Map<string, Segmenter>();
  before(async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    dir = await mkdtemp(join(tmpdir(), 'millrace-adapters-'));
    await python.text(new URL('families_twin.py', import.meta.url), [join(dir, 'bases')]);
    const jobs = [];
    for (const [base, [targets, bias, theirs]] of Object.entries(FAMILIES)) {
      const model = (await load(base)).inject(lora({ rank: 2, alpha: 5, targets, bias }), 1);
      for (const { name, group, value } of model.parameters) {
        if (group !== 'adapter') continue;
        const random = randomStream(2, name);
        const moved = Float32Array.from(value.dataSync(), (x) => x + 0.1 * normal(random));
        model.parameters.set(name, tensor(moved, value.shape));
      }
      const folder = join(dir, `${base} ours`);
      await savePeft(model, folder, { attribute: '' });
      models.set(base, model);
      jobs.push({ base, folder }, { base, folder: join(dir, `${base} theirs`), targets: theirs, bias });
    }
    const done = await python.json(new URL('adapters_twin.py', import.meta.url), [join(dir, 'bases')], jobs);
    assert.equal(done, jobs.length);
  });
  after(async () => {
    for (const model of models.values()) model.dispose();
    if (dir) await rm(dir, { recursive: true });
  });

  const load = (base: string) => loadSegmenter(join(dir, 'bases', base), { classes: 3, seed: 1 });

  /** The tokens of ours against what PEFT made of the base's pictures. */
  async function compare(model: Segmenter, base: string, whose: string): Promise<void> {
    const given = (await readSafetensors(join(dir, 'bases', base, 'expected.safetensors'))).tensors;
    const { tensors } = await readSafetensors(join(dir, `${base} ${whose}.safetensors`));
    const images = tensor(given.get('images')!.data as Float32Array, [2, 28, 28, 3]);
    const tokens = tensors.get('tokens')!.data as Float32Array;
    assert.notDeepEqual(tokens, given.get('tokens')!.data, 'the adapter changes something');
    close(model.tokens(images), tokens, 'tokens');
    dispose(images);
  }

  for (const base of Object.keys(FAMILIES)) {
    it(`${base}: PEFT loads ours on its own class`, () => compare(models.get(base)!, base, 'ours'));

    it(`${base}: we load PEFT's, and our own again`, async () => {
      const model = await loadPeft(await load(base), join(dir, `${base} theirs`));
      await compare(model, base, 'theirs').finally(() => model.dispose());
      const again = await loadPeft(await load(base), join(dir, `${base} ours`));
      await compare(again, base, 'ours').finally(() => again.dispose());
    });
  }
});
