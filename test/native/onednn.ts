import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { findBackend, setBackend } from '@tensorflow/tfjs-core';
import { packageRoot } from '../../src/base/package.js';
import { useEngine } from '../../src/engine/engine.js';
import { addonPath } from '../../src/engine/onednn/addon.js';
import type { OnednnBackend } from '../../src/engine/onednn/backend.js';
import type { Onednn } from '../../src/engine/onednn.js';

/** Skips a suite where the addon is not built, and says so. */
export function needOnednn(this: Mocha.Context): void {
  if (addonPath()) return;
  console.log('      skipped: the onednn addon is not built; npm run build:native');
  this.skip();
}

/** Runs what follows on the onednn engine. */
export async function startOnednn(precision: Onednn['precision'], threads?: number): Promise<void> {
  await useEngine('onednn', { precision, ...(threads && { threads }) });
  await setBackend('onednn');
}

/** The backend that runs; the engine is imported dynamically, and so another instance of its module than a test's. */
export function runningBackend(): OnednnBackend {
  return findBackend('onednn') as OnednnBackend;
}

/** What a program, TypeScript that imports from the package's folder, prints as JSON in a process of its own. */
export function inProcess<T>(program: string, ...args: readonly string[]): T {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program, ...args],
    { cwd: packageRoot, encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as T;
}
