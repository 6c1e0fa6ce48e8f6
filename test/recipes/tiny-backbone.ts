import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Parameters } from '../../src/model/parameters.js';
import { type VitConfig, vitConfig } from '../../src/model/vit/config.js';
import { saveBackbone } from '../../src/model/vit/save-backbone.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';

/**
 * Writes an encoder of random weights that is small enough for a test's run; its folder. `features` say what sets it apart
 * from a plain ViT, and `change` may change its weights.
 */
export async function tinyBackbone(
  dir: string,
  features: Partial<VitConfig> = {},
  change: (parameters: Parameters) => void = () => {},
): Promise<string> {
  const config = vitConfig.parse({
    hidden_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    intermediate_size: 24,
    image_size: 16,
    patch_size: 4,
    ...features,
  });
  const folder = join(dir, 'vit');
  await mkdir(folder);
  const model = createSegmenter(config, { classes: 3, seed: 7 });
  change(model.parameters);
  await saveBackbone(folder, config, model.parameters);
  model.dispose();
  return folder;
}

/**
 * The flags of a run of 12 steps: 20 pairs, of which 14 train, 4 validate and 2 test, in batches of 4, three times over.
 * Those in `args` take the place of the same.
 */
export function tinyFlags(backbone: string, ...args: readonly string[]): string[] {
  const flags = [
    `--model-name=${backbone}`,
    '--data-percentage=0.1',
    '--batch-size=4',
    '--epochs=3',
    '--engine=wasm',
  ];
  const given = new Set(args.map((arg) => arg.split('=')[0]));
  return [...flags.filter((flag) => !given.has(flag.split('=')[0])), ...args];
}
