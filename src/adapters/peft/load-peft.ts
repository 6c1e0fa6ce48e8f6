import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { readJson } from '../../files/json-file.js';
import { readSafetensors } from '../../files/safetensors.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import type { InjectOptions } from '../../model/vit/held-adapter.js';
import { PEFT_FILES } from './peft-files.js';
import { putPeft } from './put-peft.js';

/**
 * Loads an adapter that PEFT or `savePeft` wrote into a model, and the head if the folder has one. It becomes the active
 * adapter; several need names of their own.
 *
 * Which maps it changes is read off its tensors, by the names of either spelling of transformers (or both), whatever
 * attribute holds the ViT. What is on a `pooler`, and for a segmenter on a
 * `classifier`, is left out: it touches no token. A file of `init_lora_weights: pissa` or `olora` is read as one, too.
 *
 * @throws UserError naming the file, for what is missing, foreign, or does not fit; the model is then unchanged.
 * @example
 * const model = await loadPeft(await loadSegmenter('google/vit-base-patch16-224', { classes: 3, seed: 42 }), 'adapters/pets');
 */
export async function loadPeft<M extends AdaptableVit>(
  model: M,
  folder: string,
  options?: InjectOptions,
): Promise<M> {
  const [config, weights, head] = [PEFT_FILES.config, PEFT_FILES.weights, PEFT_FILES.head].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const json = await readJson(config);
  const inside = json === undefined ? await namedAdapters(folder) : [];
  if (inside.length > 0)
    throw new UserError(
      `${folder}: expected the folder of one adapter, got one of ${inside.join(', ')}; name the folder of one of them, such as ${join(folder, inside[0]!)}`,
      { path: folder },
    );
  const hasHead = (await stat(head).catch(() => undefined)) !== undefined;
  return putPeft(
    model,
    {
      config: { path: config, json },
      weights: async () => ({ path: weights, tensors: (await readSafetensors(weights)).tensors }),
      head: async () =>
        hasHead ? { path: head, tensors: (await readSafetensors(head)).tensors } : undefined,
    },
    options,
  );
}

/** The names of the adapters that PEFT saved to sub-folders of a folder. */
async function namedAdapters(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return folders.filter((name) => existsSync(join(folder, name, PEFT_FILES.config))).toSorted();
}
