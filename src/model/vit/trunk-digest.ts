import { createHash } from 'node:crypto';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { AdaptableVit } from './adaptable-vit.js';
import { blockOf } from './trunk-blocks.js';

/** What a model's first blocks compute, as a digest: of their shape, their weights and those of the embedding. */
export async function trunkDigest({ config, parameters }: AdaptableVit, blocks: number): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(config));
  for (const { name, group, adopted, int16, value } of parameters) {
    const isOfTrunk = !name.startsWith('norm.') && (blockOf(name) ?? 0) < blocks;
    if ((group !== 'backbone' && !adopted) || !isOfTrunk) continue;
    hash.update(name).update(await valueDigest(value));
    if (int16) hash.update('int16');
  }
  return hash.digest('hex');
}

/** By a tensor's data, which siblings share. */
const digests = new WeakMap<object, Promise<string>>();

function valueDigest(value: Tensor): Promise<string> {
  const digest =
    digests.get(value.dataId) ??
    value.data().then((values) => {
      const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
      return createHash('sha256').update(bytes).digest('hex');
    });
  digests.set(value.dataId, digest);
  return digest;
}
