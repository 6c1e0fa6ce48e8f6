import { z } from 'zod';
import { UserError } from '../../src/base/errors.js';
import { availableCores } from '../../src/engine/cores.js';
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

/** A comparison of one run of ours with runs of peers. */
interface Case extends Omit<Comparison, 'ours' | 'peers'> {
  readonly mine: Run;
  readonly theirs: readonly Run[];
}

const LORA_STEP = { command: 'train-step', model: 'vit-base', adapter: 'lora' } as const;

/** The cases of one precision by name; `targets` are the ratios aimed at, 1 by default. */
function casesIn(
  precision: 'f32' | 'bf16',
  suffix: string,
  targets: Readonly<Record<string, number>>,
): readonly (readonly [string, readonly Case[]])[] {
  const step = against({ ...LORA_STEP, precision });
  const tiny = against({ ...LORA_STEP, model: 'deit-tiny', precision });
  const inference = against({ ...LORA_STEP, command: 'inference', precision });
  const both = `${precision} against the best ${precision}`;
  const ofTime = (title: string, runs: Pick<Case, 'mine' | 'theirs'>, target = 1): Case => ({
    title,
    ...runs,
    of: 's_per_step',
    target,
  });
  const memory: Case = { title: 'its peak memory', ...step, of: 'peak_rss_mb', target: 1 };
  const localized = { mine: { ...step.mine, adapter: 'localized' }, theirs: [step.mine] };
  const products = { mine: step.mine, theirs: [{ ...step.mine, command: 'matmul' } as const] };
  return [
    [precision, [ofTime(`ViT-B LoRA step, ${both}`, step, targets['step']), memory]],
    [`tiny${suffix}`, [ofTime(`DeiT-Tiny LoRA step, ${both}`, tiny, targets['tiny'])]],
    [`inference${suffix}`, [ofTime(`ViT-B inference, ${both}`, inference, targets['inference'])]],
    [
      `localized${suffix}`,
      [ofTime(`our LoRA step against our Localized step, ${precision}`, localized, 1 / 1.15)],
    ],
    [`ceiling${suffix}`, [ofTime(`a step's matrix products alone against our step, ${precision}`, products)]],
  ];
}

const MIXED: Case = {
  title: 'ViT-B LoRA step, bf16 against the best f32',
  mine: against({ ...LORA_STEP, precision: 'bf16' }).mine,
  theirs: against({ ...LORA_STEP, precision: 'f32' }).theirs,
  of: 's_per_step',
  target: 10,
};

/** Targets are for a machine with AMX; those in f32, for processors without bf16, are to be no slower than the peer. */
const cases: ReadonlyMap<string, readonly Case[]> = new Map([
  ...casesIn('bf16', '', { step: 2.5, tiny: 2.5, inference: 2 }),
  ['mixed', [MIXED]] as const,
  ...casesIn('f32', '-f32', { step: 1.3 }),
]);

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
      batch: z.int().min(1).default(8).describe('images per step'),
      threads: z.int().min(1).optional().describe('for both sides; default the cores that are available'),
      engine: z.enum(['onednn', 'torch']).default('onednn').describe('our engine'),
      rounds: z.int().min(1).default(3).describe('turns of every contender'),
      warmUp: z.int().min(1).default(2).describe('steps of a turn before the clock starts'),
      steps: z.int().min(1).default(5).describe('timed steps of a turn; the median counts'),
      json: z.boolean().default(false).describe('print one JSON object: rows and all results'),
      update: z.boolean().default(false).describe('put the table into PERFORMANCE.md'),
    },
  },
  run: async ({ cases: caseNames, rounds, json, update, ...how }) => {
    const threads = how.threads ?? availableCores();
    const comparisons = caseNames.flatMap((name) => cases.get(name)!);
    const runs = new Map(
      comparisons.flatMap(({ mine, theirs }) => [mine, ...theirs]).map((run) => [nameOf(run), run]),
    );
    const contenders = [...runs].map(
      ([name, run]): Contender => ({ name, run: () => start(run, { ...how, threads }) }),
    );
    const outcome = await alternate(contenders, rounds, (line) => process.stderr.write(`${line}\n`));
    const rows = comparisons
      .map(({ mine, theirs, ...rest }) =>
        rowOf({ ...rest, ours: nameOf(mine), peers: theirs.map(nameOf) }, outcome),
      )
      .filter((row) => row !== undefined);
    if (rows.length === 0)
      throw new UserError(
        `versus: expected both sides to run, got ${[...outcome.failed.keys()].join(', ')} failing`,
      );
    const about = { machine: machine(), threads, rounds, batch: how.batch };
    const text = `${about.machine}; ${threads} threads, batch ${how.batch}, ${rounds} rounds of ${how.steps} steps\n\n${table(rows)}`;
    if (json)
      process.stdout.write(
        `${JSON.stringify({ ...about, rows, results: Object.fromEntries(outcome.results), failed: Object.fromEntries(outcome.failed) })}\n`,
      );
    else process.stdout.write(text);
    if (update) await updateSection('versus', text);
  },
});

interface How extends Readonly<Record<'batch' | 'threads' | 'warmUp' | 'steps', number>> {
  readonly engine: 'onednn' | 'torch';
}

function start(
  { side, command, model, adapter, precision, frozen }: Run,
  { engine, batch, threads, warmUp, steps }: How,
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
  return ours([...what, ...how, ...(command === 'matmul' ? [] : ['--engine', engine])]);
}

function table(rows: readonly Row[]): string {
  const text = (value: number, unit: string) =>
    unit === 's' ? `${value.toFixed(3)} s` : `${value.toFixed(0)} MB`;
  return markdown(
    ['case', 'ours', 'peer', 'peer / ours', 'spread', 'aim with AMX', 'the peer that counts'],
    rows.map((row) => [
      row.case,
      text(row.ours, row.unit),
      text(row.peer, row.unit),
      row.ratio.toFixed(2),
      `${row.min.toFixed(2)} – ${row.max.toFixed(2)}`,
      `≥ ${rounded(row.target).toFixed(2)}`,
      row.peerName,
    ]),
  );
}
