import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../recipes/run.js';
import { codeBlocks, withChecks } from './examples.js';

const execute = promisify(execFile);
const built = join(root, 'build', 'docs');
const documents = readdirSync(join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));
const markdown = [
  'README.md',
  'CHANGELOG.md',
  'PERFORMANCE.md',
  'RESULTS.md',
  ...documents,
  ...readdirSync(join(root, 'docs', 'notes')).map((name) => join('docs', 'notes', name)),
];

/** Where the blocks of one document are written. */
const folderOf = (name: string) => join(built, basename(name, '.md'));

/** Runs the blocks of one document in turn, and compares what stands behind `// =>`. */
const PROGRAM = (blocks: number) => `
import assert from 'node:assert/strict';
import { valueIn } from '../../../test/docs/examples.js';
Object.assign(globalThis, { shown: (value: unknown, comment: string) => assert.deepEqual(value, valueIn(comment)) });
for (let i = 0; i < ${blocks}; i++) await import(\`./block-\${i}.ts\`);
`;

describe('the documents', () => {
  before(() => {
    rmSync(built, { recursive: true, force: true });
    // README's own test runs its blocks.
    for (const name of ['README.md', ...documents]) {
      const folder = folderOf(name);
      mkdirSync(folder, { recursive: true });
      const blocks = codeBlocks(readFileSync(join(root, name), 'utf8'), 'ts');
      blocks.forEach((code, i) => {
        const checked = `${withChecks(code)}\ndeclare const shown: (value: unknown, comment: string) => void;\nexport {};\n`;
        writeFileSync(join(folder, `block-${i}.ts`), checked);
      });
      writeFileSync(join(folder, 'program.ts'), PROGRAM(blocks.length));
    }
    const base = {
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '../..', noEmit: true, composite: false, noUnusedLocals: false },
      include: ['**/block-*.ts'],
    };
    writeFileSync(join(built, 'tsconfig.json'), JSON.stringify(base));
  });

  it('have examples', () => assert.ok(documents.length >= 4, documents.join()));

  it('have examples that compile in a project that imports the package', async () => {
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await execute(tsc, ['-p', built], { cwd: root }).catch((error) => error);
    assert.equal(stdout, '');
  });

  for (const name of documents)
    it(`${name}: its examples run, in order`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-docs-'));
      try {
        const program = join(folderOf(name), 'program.ts');
        const tsx = join(root, 'node_modules', '.bin', 'tsx');
        await execute(tsx, [program], { cwd: dir });
      } finally {
        rmSync(dir, { recursive: true });
      }
    });

  for (const name of markdown)
    it(`${name}: its links lead somewhere`, () => {
      const text = readFileSync(join(root, name), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)].map(([, path]) => path!);
      for (const path of links) assert.ok(existsSync(join(root, dirname(name), path)), path);
    });
});
