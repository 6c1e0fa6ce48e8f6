import { sha256 } from '../files/digest.js';
import { CHECKPOINT_FILES } from './checkpoint.js';

/**
 * The digest of the contents of `checkpoint.json`, without the place where it stands itself: however the JSON is laid
 * out, the same contents have the same digest.
 */
export function infoDigest(info: { readonly sha256: Readonly<Record<string, unknown>> }): string {
  const digests = { ...info.sha256, [CHECKPOINT_FILES.info]: undefined };
  return sha256(Buffer.from(JSON.stringify({ ...info, sha256: digests })));
}
