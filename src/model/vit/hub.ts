import { join } from 'node:path';
import { UserError } from '../../base/errors.js';
import { hubFolder, isHubId } from '../../files/hub/hub-folder.js';
import { isThere, shardsOf, WEIGHT_FILES } from './weight-files.js';

/**
 * The path of a hub id's weights in Hugging Face's cache, with config.json beside it; downloaded if missing.
 *
 * @throws UserError for what is no hub id, and for what `hubFolder` refuses.
 */
export async function fromHub(name: string): Promise<string> {
  if (!isHubId(name))
    throw new UserError(
      `${name}: expected a folder, a .safetensors file or a hub id such as google/vit-base-patch16-224, got nothing there; see --model-name`,
      { path: name },
    );
  const folder = await hubFolder(name, {
    all: ['config.json'],
    optional: ['preprocessor_config.json'],
    oneOf: WEIGHT_FILES,
    more: shardsOf,
  });
  for (const file of WEIGHT_FILES) if (await isThere(join(folder, file))) return join(folder, file);
  throw new Error(`${folder} has no ${WEIGHT_FILES.join(' and no ')}`);
}
