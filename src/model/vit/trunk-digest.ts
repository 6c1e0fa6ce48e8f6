import { createHash } from 'node:crypto';
import type { AdaptableVit } from './adaptable-vit.js';

/** What a model's first blocks compute, as a digest: of their shape, their weights and those of the embedding. */
export async function trunkDigest({ config, parameters }: AdaptableVit, blocks: number): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(config));
  for (const { name, group, adopted, value } of parameters) {
    const layer = /^layers\.(\d+)\./.exec(name)?.[1];
    if ((group !== 'backbone' && !adopted) || name.startsWith('norm.') || Number(layer ?? 0) >= blocks)
      continue;
    const values = (await value.data()) as Float32Array;
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
