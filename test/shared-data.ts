import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const shared = fileURLToPath(new URL('../../shared/data', import.meta.url));

/** The path of real data beside the project, or undefined where it is absent. */
export function sharedData(...segments: readonly string[]): string | undefined {
  const path = join(shared, ...segments);
  return existsSync(path) ? path : undefined;
}

/** Skips a test that needs real data, and says so. */
export function needsSharedData(test: Mocha.Context, ...segments: readonly string[]): string {
  const path = sharedData(...segments);
  if (path) return path;
  console.log(`      skipped: ${join('../shared/data', ...segments)} is not here`);
  return test.skip();
}
