import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { infoDigest } from '../../src/train/info-digest.js';

/** Changes the text of a checkpoint's `checkpoint.json` as its writer might have written it: with the digest that fits. */
export function editInfo(path: string, change: (text: string) => string): void {
  const file = join(path, 'checkpoint.json');
  const text = change(readFileSync(file, 'utf8'));
  const info = JSON.parse(text) as { sha256: Record<string, string> };
  writeFileSync(file, text.replace(info.sha256['checkpoint.json']!, infoDigest(info)));
}
