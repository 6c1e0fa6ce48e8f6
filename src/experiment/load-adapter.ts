import { stat } from 'node:fs/promises';
import { loadPeft } from '../adapters/peft/load-peft.js';
import { PEFT_FILES } from '../adapters/peft/peft-files.js';
import { loadStudyAdapter } from '../adapters/study-files.js';
import { UserError } from '../base/errors.js';
import { hubFolder, isHubId } from '../files/hub/hub-folder.js';
import type { Adapter } from '../model/adapter.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import type { InjectOptions } from '../model/vit/held-adapter.js';

/** Where an adapter comes from: a folder of PEFT, or a hub id of one, or a file of the original study with the alpha that it lacks. */
export interface AdapterSource {
  readonly adapterDir: string;
  readonly alpha?: number | undefined;
}

const ADAPTER_FILES = { all: [PEFT_FILES.config, PEFT_FILES.weights], optional: [PEFT_FILES.head] };

/** Loads an adapter into a model. @throws UserError for an alpha beside a folder, which says its own. */
export async function loadAdapter(
  model: AdaptableVit,
  { adapterDir, alpha }: AdapterSource,
  options?: InjectOptions,
): Promise<Adapter> {
  const stats = await stat(adapterDir).catch(() => undefined);
  if (stats?.isFile()) await loadStudyAdapter(model, adapterDir, { alpha, ...options });
  else {
    if (alpha !== undefined)
      throw new UserError(
        `--alpha: expected it with a file of the original study alone, got ${alpha} with the folder ${adapterDir}, whose config says it`,
        { alpha },
      );
    const isOfHub = !stats && isHubId(adapterDir);
    await loadPeft(model, isOfHub ? await hubFolder(adapterDir, ADAPTER_FILES) : adapterDir, options);
  }
  return model.adapter!;
}
