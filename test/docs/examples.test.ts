import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { docExamples, type Example, valueIn, withChecks } from './examples.js';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folder = join(root, 'build', 'examples');

/** Where an example's words come from, unless its own file exports them. */
const LIBRARIES = [
  'millrace',
  'millrace/study',
  'millrace/report',
  'millrace/recipe',
  'rxjs',
  'zod',
  '@tensorflow/tfjs-core',
];

/** What examples take for granted: the things that the text around them speaks of. */
const WORLD = `
import type * as M from 'millrace';
import type * as R from 'millrace/recipe';
import type * as S from 'millrace/study';
import type { Observable } from 'rxjs';
declare global {
  type Batch = M.Batch;
  type BatchPlan = M.BatchPlan;
  type Distortion = M.Distortion;
  type Event = M.Event;
  type Head = M.Head;
  type HeadOptions = M.HeadOptions;
  type Loss = M.Loss;
  type Mixer = M.Mixer;
  type SearchSpace = S.SearchSpace;
  type Tensor = import('@tensorflow/tfjs-core').Tensor;
  type Transform = M.Transform;
  const pairs: readonly M.Pair[], train: readonly M.Pair[], test: readonly M.Pair[];
  const plans: Iterable<M.BatchPlan>, plan: M.BatchPlan, batch$: Observable<M.Batch>;
  const load: (plan: M.BatchPlan) => Observable<M.Batch>;
  const inOrder: (pairs: readonly M.Pair[]) => () => Observable<M.Lease<M.Batch>>, config: Record<string, unknown>;
  const batchSize: number, epochs: number, seed: number, step: number, resume: boolean, dir: string, data: Float32Array;
  const a: string, b: string, imageDir: string, maskDir: string, width: number, height: number;
  const image: Uint8Array, mask: Uint8Array;
  const model: M.Segmenter, store: M.CheckpointStore;
  const batches: () => Observable<M.Lease<M.Batch>>, settings: R.TrainingRunSettings, task: R.Task,
    training: M.Training, training$: Observable<M.Event>, lease: M.Lease<M.Batch>;
  const rows: M.Prediction[], run: M.Run, search: (trial: S.Trial) => Observable<M.Event>, study: S.Study, trial: S.Trial, sampler: S.Sampler;
  const tokens: Tensor, weight: Tensor, bias: Tensor, myTransform: M.GradientTransform;
}
`;

describe('the examples of the doc comments', () => {
  let examples: Example[] = [];

  before(async () => {
    examples = await docExamples(root, ['src', 'operators']);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'world.d.ts'), WORLD);
    const base = {
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '../..', noEmit: true, composite: false, noUnusedLocals: false },
      include: ['.'],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(base));
    const exports = await Promise.all(
      LIBRARIES.map(async (name) => [name, new Set(Object.keys(await import(name)))] as const),
    );
    for (const example of examples) {
      const own = await readFile(join(root, example.file), 'utf8');
      const words = new Set(example.code.match(/[\w$]+/g));
      const lines = [...words].flatMap((word) => {
        const itsOwn = new RegExp(`export (async )?(function|class|const) ${word}\\b`).test(own);
        if (word === 'default' || word === 'undefined' || (!itsOwn && WORLD.includes(` ${word}:`))) return [];
        const [library] = exports.find(([, names]) => names.has(word)) ?? [];
        if (word === 'assert') return [`import assert from 'node:assert/strict';`];
        if (library) return [`import { ${word} } from '${library}';`];
        return itsOwn ? [`import { ${word} } from '../../${example.file.replace(/ts$/, 'js')}';`] : [];
      });
      const code = `${lines.join('\n')}\ndeclare const shown: (value: unknown, comment: string) => void;
// ${example.file}:${example.line}
export default async function example() {\n${withChecks(example.code)}\n}\n`;
      await writeFile(fileOf(example), code);
    }
  });

  it('exist', () => assert.ok(examples.length > 50, `${examples.length} were found`));

  it('compile in a project that imports the package', async () => {
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await promisify(execFile)(tsc, ['-p', folder], { cwd: root }).catch((error) => error);
    assert.equal(stdout, '');
  });

  it('compute what they show', async () => {
    const values: unknown[] = [];
    for (const example of examples.filter(({ code }) => /; *\/\/ => /.test(code))) {
      Object.assign(globalThis, {
        shown: (value: unknown, comment: string) => {
          values.push(value);
          assert.deepEqual(value, valueIn(comment), `${example.file}:${example.line}`);
        },
      });
      const { default: run } = (await import(pathToFileURL(fileOf(example)).href)) as {
        default: () => Promise<void>;
      };
      await run();
    }
    assert.ok(values.length > 10, `${values.length} values were compared`);
  });

  function fileOf({ file, line }: Example): string {
    return join(folder, `${file.replaceAll(/\W/g, '-')}-${line}.ts`);
  }
});
