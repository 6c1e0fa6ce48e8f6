import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/package.js';

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: {
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
  };
}

const ROOMS = ['src', 'operators', 'exports', 'recipes', 'bench', 'test'];

/** What the rules of the rooms say of sources in a folder. */
async function cruise(folder: string): Promise<Cruise> {
  const depcruise = join(packageRoot, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const rules = join(packageRoot, '.dependency-cruiser.mjs');
  const args = [depcruise, '--config', rules, '--output-type', 'json', ...ROOMS];
  // With violations it exits with their number.
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    maxBuffer: 2 ** 28,
  }).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Cruise;
}

describe('the rooms', () => {
  it('import downwards only, without circles of files or of folders', async () => {
    const { modules, summary } = await cruise(packageRoot);
    assert.deepEqual(
      summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`),
      [],
    );
    // dependency-cruiser takes a folder's own folders for parts of it: these pairs it does not compare.
    const imports = new Set<string>();
    for (const { source, dependencies } of modules)
      for (const { resolved } of dependencies) imports.add(`${dirname(source)} → ${dirname(resolved)}`);
    const mutual = [...imports].filter((pair) => {
      const [from, to] = pair.split(' → ') as [string, string];
      return to.startsWith(`${from}/`) && !from.startsWith('test') && imports.has(`${to} → ${from}`);
    });
    assert.deepEqual(mutual, []);
  });

  it('are watched: an arrow up, a circle, rxjs in the core and a use of tests are found, of types alone, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-rooms-'));
    const files = {
      'tsconfig.json': '{ "include": ["src", "bench"] }',
      'src/base/up.ts': "import type { Plan } from '../data/plan.js';\nexport type Up = Plan;\n",
      'src/data/plan.ts': "import type { Other } from './other.js';\nexport type Plan = Other;\n",
      'src/data/other.ts':
        "import type { Plan } from './plan.js';\nimport { of } from 'rxjs';\nexport type Other = Plan;\nexport const one = of(1);\n",
      'bench/speed.ts': "import { help } from '../test/help.js';\nhelp();\n",
      'test/help.ts': 'export function help() {}\n',
      'operators/none.ts': 'export {};\n',
      'exports/none.ts': 'export {};\n',
      'recipes/none.ts': 'export {};\n',
    };
    try {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      const { summary } = await cruise(folder);
      const found = new Set(summary.violations.map(({ rule }) => rule.name));
      for (const rule of [
        'base-imports-lower-rooms-only',
        'no-file-circle',
        'the-core-knows-no-rxjs',
        'nothing-imports-tests',
      ])
        assert.ok(found.has(rule), `${rule} is not among ${[...found].join(', ')}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
