import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lora } from '../../../src/adapters/lora.js';
import { loadPeft } from '../../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../../src/adapters/peft/save-peft.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { readPretrained } from '../../../src/model/vit/pretrained.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { createSegmenter, segmenterOf } from '../../../src/tasks/segmentation/segmenter.js';
import { hostile, readMutated } from '../mutate.js';

const config = vitConfig.parse({
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 4,
  image_size: 4,
  patch_size: 2,
});

describe('readers of weights, on mutated inputs', () => {
  let folder: string;
  let adapter: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-fuzz-'));
    adapter = join(folder, 'adapter');
    const model = createSegmenter(config, { classes: 2, seed: 1 });
    await saveBackbone(folder, config, model.parameters);
    await mkdir(adapter);
    await savePeft(model.inject(lora({ rank: 1 }), 1), adapter, { head: 'module' });
    model.dispose();
  });
  after(() => rm(folder, { recursive: true }));

  const json = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;

  /** Reads inputs that take a file's place, as they are and mutated, and puts the file back. */
  async function instead(
    path: string,
    inputs: readonly Buffer[],
    read: () => Promise<unknown>,
  ): Promise<void> {
    const whole = await readFile(path);
    const readOne = async (bytes: Buffer) => {
      await writeFile(path, bytes);
      await read();
    };
    for (const bytes of inputs)
      await readOne(bytes).catch((error: Error) => {
        if (error.name !== 'UserError') throw new Error(`${bytes.subarray(0, 300)}`, { cause: error });
      });
    await readMutated(path.slice(folder.length + 1), inputs, readOne);
    await writeFile(path, whole);
  }

  const load = async () => segmenterOf(await readPretrained(folder), { classes: 2, seed: 1 }).dispose();
  const adapt = async () => {
    const model = createSegmenter(config, { classes: 2, seed: 1 });
    await loadPeft(model, adapter).finally(() => model.dispose());
  };

  it('safetensors', async () => {
    const path = join(folder, 'model.safetensors');
    await instead(path, [await readFile(path)], () => readSafetensors(path));
    await instead(path, [await readFile(path)], load);
  });

  it("config.json, transformers' and timm's", async () => {
    const path = join(folder, 'config.json');
    const timm = {
      architecture: 'vit_tiny_patch16_224',
      model_args: { embed_dim: 4, depth: 1, num_heads: 2 },
      pretrained_cfg: { mean: [0, 0, 0], std: [1, 1, 1], input_size: [3, 4, 4] },
    };
    const inputs = [...hostile(await json(path), ['architecture']), ...hostile(timm, ['model_type'])];
    for (const args of hostile(timm.model_args, ['init_values', '__proto__', 'toString']))
      inputs.push(Buffer.from(JSON.stringify({ ...timm, model_args: JSON.parse(args.toString()) })));
    await instead(path, inputs, load);
  });

  it('preprocessor_config.json', async () => {
    const path = join(folder, 'preprocessor_config.json');
    await instead(path, hostile(await json(path), ['crop_size', 'do_center_crop']), load);
  });

  it('the folders of PEFT', async () => {
    const path = join(adapter, 'adapter_config.json');
    await instead(
      path,
      hostile(await json(path), ['rank_pattern', 'alora_invocation_tokens', '__proto__']),
      adapt,
    );
    const weights = join(adapter, 'adapter_model.safetensors');
    await instead(weights, [await readFile(weights)], adapt);
  });
});
