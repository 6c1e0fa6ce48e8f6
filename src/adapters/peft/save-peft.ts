import { readdir } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import { writeFolderAtomic } from '../../files/atomic.js';
import { writeError } from '../../files/write-error.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { PEFT_FILES, peftFiles, type SavePeftOptions } from './peft-files.js';

/**
 * Writes a model's adapter and head as PEFT (tested with 0.20 and 0.21) reads them: adapter_config.json and
 * adapter_model.safetensors, whole or not at all. Localized LoRA is written as GraLoRA, which is the same change.
 *
 * In Python, `PeftModel.from_pretrained(vit, folder)` then gives the same tokens. A PyTorch head with `conv`
 * (3 × 3), `norm` (BatchNorm, where the model has one) and `classify` (1 × 1) takes head.safetensors by `load_state_dict`.
 *
 * @throws UserError where there is no adapter or PEFT has none such, and where the folder holds other files.
 * @example
 * await savePeft(model, 'adapters/pets', { baseModel: 'google/vit-base-patch16-224' });
 */
export async function savePeft(
  model: AdaptableVit,
  folder: string,
  options: SavePeftOptions = {},
): Promise<void> {
  if (options.adapter ?? model.adapter) await checkFolder(folder);
  await writeFolderAtomic(folder, await peftFiles(model, folder, options));
}

async function checkFolder(folder: string): Promise<void> {
  const ours: readonly string[] = Object.values(PEFT_FILES);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw writeError(folder, error);
  });
  const foreignFile = names.find((name) => !ours.includes(name));
  if (foreignFile !== undefined)
    throw new UserError(
      `${folder}: expected an empty folder or one with an adapter alone, got ${foreignFile} in it; name another folder`,
      { path: folder },
    );
}
