import { z } from 'zod';
import { UserError } from '../../src/base/errors.js';
import { availableCores } from '../../src/engine/onednn/cores.js';
import { command } from '../command.js';
import { ours } from '../ours.js';
import { torch } from '../peers/torch.js';
import { machine, markdown, updateSection } from '../report.js';
import { rounded } from '../result.js';
import { alternate, type Comparison, type Contender, type Row, rowOf } from '../versus.js';

type Side = 'millrace' | 'torch' | 'torch-compile';

/** `side command model adapter precision`, and whether PyTorch keeps frozen weights in bf16. */
interface Run {
  readonly side: Side;
  readonly command: 'train-step' | 'inference' | 'matmul';
  readonly model: 'vit-base' | 'deit-tiny';
  readonly adapter: string;
  readonly precision: 'f32' | 'bf16';
  readonly frozen?: 'bf16';
}

const nameOf = ({ side, command, model, adapter, precision, frozen }: Run): string =>
  [side, command, model, adapter, precision, ...(frozen ? ['frozen-bf16'] : [])].join(' ');

/** Our run, and PyTorch's ways of doing the same. */
function against(run: Omit<Run, 'side'>): { readonly mine: Run; readonly theirs: readonly Run[] } {
  const sides = ['torch', 'torch-compile'] as const;
  const theirs: Run[] = sides.flatMap((side) => [
    { ...run, side },
    ...(run.precision === 'bf16' ? [{ ...run, side, frozen: 'bf16' } as const] : []),
  ]);
  return { mine: { ...run, side: 'millrace' }, theirs };
}

/**
 * The cases by name: what each compares, and the ratio that is aimed at on a machine with AMX; those in f32, which
 * are for processors without bf16, aim at being no slower.
 */
function casesOf(): ReadonlyMap<string, readonly (Omit<Comparison, 'ours' | 'peers'> & Runs)[]> {
  const train = { command: 'train-step', model: 'vit-base', adapter: 'lora' } as const;
  const time = 's_per_step';
  const memory = 'peak_rss_mb';
  const of = (precision: 'f32' | 'bf16', suffix: string, aims: Readonly<Record<string, number>>) => {
    const step = against({ ...train, precision });
    const tiny = against({ ...train, model: 'deit-tiny', precision });
    const infer = against({ ...train, command: 'inference', precision });
    const localized = { ...step.mine, adapter: 'localized' };
    const matmul = { ...step.mine, command: 'matmul' } as const;
    const both = `${precision} against the best ${precision}`;
    return [
      [
        precision,
        [
          { title: `ViT-B LoRA step, ${both}`, ...step, of: time, target: aims['step']! },
          { title: 'its peak memory', ...step, of: memory, target: 1 },
        ],
      ],
      [
        `tiny${suffix}`,
        [{ title: `DeiT-Tiny LoRA step, ${both}`, ...tiny, of: time, target: aims['tiny'] ?? 1 }],
      ],
      [
        `inference${suffix}`,
        [{ title: `ViT-B inference, ${both}`, ...infer, of: time, target: aims['inference'] ?? 1 }],
      ],
      [
        `localized${suffix}`,
        [
          {
            title: `our LoRA step against our Localized step, ${precision}`,
            mine: localized,
            theirs: [step.mine],
            of: time,
            target: 1 / 1.15,
          },
        ],
      ],
      [
        `ceiling${suffix}`,
        [
          {
            title: `a step's matrix products alone against our step, ${precision}`,
            mine: step.mine,
            theirs: [matmul],
            of: time,
            target: 1,
          },
        ],
      ],
    ] as const;
  };
  const mixed = {
    title: 'ViT-B LoRA step, bf16 against the best f32',
    mine: against({ ...train, precision: 'bf16' }).mine,
    theirs: against({ ...train, precision: 'f32' }).theirs,
    of: time,
    target: 10,
  } as const;
  return new Map<string, readonly (Omit<Comparison, 'ours' | 'peers'> & Runs)[]>([
    ...of('bf16', '', { step: 2.5, tiny: 2.5, inference: 2 }),
    ['mixed', [mixed]],
    ...of('f32', '-f32', { step: 1.3 }),
  ]);
}

interface Runs {
  readonly mine: Run;
  readonly theirs: readonly Run[];
}

const cases = casesOf();
const USUAL = ['bf16', 'f32', 'mixed', 'tiny', 'inference', 'localized', 'ceiling'];

export default command({
  description: 'training and inference beside PyTorch, in turn: ratios with their spread',
  flags: {
    Comparing: {
      cases: z
        .array(z.enum([...cases.keys()] as [string, ...string[]]))
        .min(1)
        .default(USUAL)
        .describe('what is compared'),
      batch: z.int().min(1).default(8).describe('images in a step'),
      threads: z.int().min(1).optional().describe('for both sides; default the cores that are available'),
      rounds: z.int().min(1).default(3).describe('turns of every contender'),
      warmUp: z.int().min(1).default(2).describe('steps of a turn before the clock starts'),
      steps: z.int().min(1).default(5).describe('timed steps of a turn; the median counts'),
      json: z.boolean().default(false).describe('print one JSON object: rows and all results'),
      update: z.boolean().default(false).describe('put the table into PERFORMANCE.md'),
    },
  },
  run: async ({ cases: chosen, rounds, json, update, ...how }) => {
    const threads = how.threads ?? availableCores();
    const comparisons = chosen.flatMap((name) => cases.get(name)!);
    const runs = new Map(
      comparisons.flatMap(({ mine, theirs }) => [mine, ...theirs]).map((run) => [nameOf(run), run]),
    );
    const contenders = [...runs].map(
      ([name, run]): Contender => ({ name, run: () => start(run, { ...how, threads }) }),
    );
    const done = await alternate(contenders, rounds, (line) => process.stderr.write(`${line}\n`));
    const rows = comparisons
      .map(({ mine, theirs, ...rest }) =>
        rowOf({ ...rest, ours: nameOf(mine), peers: theirs.map(nameOf) }, done),
      )
      .filter((row) => row !== undefined);
    if (rows.length === 0)
      throw new UserError(
        `versus: expected both sides to run, got ${[...done.failed.keys()].join(', ')} failing`,
      );
    const about = { machine: machine(), threads, rounds, batch: how.batch };
    const text = `${about.machine}; ${threads} threads, batch ${how.batch}, ${rounds} rounds of ${how.steps} steps\n\n${table(rows)}`;
    if (json)
      process.stdout.write(
        `${JSON.stringify({ ...about, rows, results: Object.fromEntries(done.results), failed: Object.fromEntries(done.failed) })}\n`,
      );
    else process.stdout.write(text);
    if (update) await updateSection('versus', text);
  },
});

function start(
  { side, command, model, adapter, precision, frozen }: Run,
  { batch, threads, warmUp, steps }: Readonly<Record<'batch' | 'threads' | 'warmUp' | 'steps', number>>,
) {
  const what = [
    command,
    '--model',
    model,
    '--adapter',
    adapter,
    '--precision',
    precision,
    '--batch',
    `${batch}`,
  ];
  const how = ['--threads', `${threads}`, '--warm-up', `${warmUp}`, '--steps', `${steps}`];
  if (side !== 'millrace')
    return torch([...what, ...how, '--engine', side, ...(frozen ? ['--frozen', frozen] : [])]);
  return ours([...what, ...how, ...(command === 'matmul' ? [] : ['--engine', 'onednn'])]);
}

function table(rows: readonly Row[]): string {
  const shown = (value: number, unit: string) =>
    unit === 's' ? `${value.toFixed(3)} s` : `${value.toFixed(0)} MB`;
  return markdown(
    ['case', 'ours', 'peer', 'peer / ours', 'spread', 'aim with AMX', 'the peer that counts'],
    rows.map((row) => [
      row.case,
      shown(row.ours, row.unit),
      shown(row.peer, row.unit),
      row.ratio.toFixed(2),
      `${row.min.toFixed(2)} – ${row.max.toFixed(2)}`,
      `≥ ${rounded(row.target).toFixed(2)}`,
      row.peerName,
    ]),
  );
}
