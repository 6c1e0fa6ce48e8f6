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
/** The precisions of PyTorch's runs; ours have integers, too. */
type Float = 'f32' | 'bf16';

/** `side command model adapter precision`, and whether PyTorch keeps frozen weights in bf16. */
interface Run {
  readonly side: Side;
  readonly command: 'train-step' | 'inference' | 'matmul';
  readonly model: 'vit-base' | 'deit-tiny';
  readonly adapter: string;
  readonly precision: Float | 'int16' | 'int8';
  readonly frozen?: 'bf16';
}

const nameOf = ({ side, command, model, adapter, precision, frozen }: Run): string =>
  [side, command, model, adapter, precision, ...(frozen ? ['frozen-bf16'] : [])].join(' ');

/** Our run, and PyTorch's ways of doing the same in a precision that it has. */
function against(
  run: Omit<Run, 'side'>,
  precision: Float,
): { readonly mine: Run; readonly theirs: readonly Run[] } {
  const sides = ['torch', 'torch-compile'] as const;
  const theirs: Run[] = sides.flatMap((side) => [
    { ...run, side, precision },
    ...(precision === 'bf16' ? [{ ...run, side, precision, frozen: 'bf16' } as const] : []),
  ]);
  return { mine: { ...run, side: 'millrace' }, theirs };
}

/** A comparison of one run of ours with runs of peers. */
interface Case extends Omit<Comparison, 'ours' | 'peers'> {
  readonly mine: Run;
  readonly theirs: readonly Run[];
}

const LORA_STEP = { command: 'train-step', model: 'vit-base', adapter: 'lora' } as const;

type Cases = readonly (readonly [string, readonly Case[]])[];

const ofTime = (title: string, runs: Pick<Case, 'mine' | 'theirs'>, target = 1): Case => ({
  title,
  ...runs,
  of: 's_per_step',
  target,
});

/** A step's products alone against the step. */
function ceiling(mine: Run): Case {
  const title = `a step's matrix products alone against our step, ${mine.precision}`;
  return ofTime(title, { mine, theirs: [{ ...mine, command: 'matmul' }] });
}

/** The cases of one precision by name; `targets` are the ratios aimed at, 1 by default. */
function casesIn(precision: Float, suffix: string, targets: Readonly<Record<string, number>>): Cases {
  const step = against({ ...LORA_STEP, precision }, precision);
  const tiny = against({ ...LORA_STEP, model: 'deit-tiny', precision }, precision);
  const inference = against({ ...LORA_STEP, command: 'inference', precision }, precision);
  const both = `${precision} against the best ${precision}`;
  const memory: Case = { title: 'its peak memory', ...step, of: 'peak_rss_mb', target: 1 };
  const localized = { mine: { ...step.mine, adapter: 'localized' }, theirs: [step.mine] };
  return [
    [precision, [ofTime(`ViT-B LoRA step, ${both}`, step, targets['step']), memory]],
    [`tiny${suffix}`, [ofTime(`DeiT-Tiny LoRA step, ${both}`, tiny, targets['tiny'])]],
    [`inference${suffix}`, [ofTime(`ViT-B inference, ${both}`, inference, targets['inference'])]],
    [
      `localized${suffix}`,
      [ofTime(`our LoRA step against our Localized step, ${precision}`, localized, 1 / 1.15)],
    ],
    [`ceiling${suffix}`, [ceiling(step.mine)]],
  ];
}

/** Our own runs of the same in floats. */
const inFloats = (mine: Run): Run[] => [
  { ...mine, precision: 'bf16' },
  { ...mine, precision: 'f32' },
];

/**
 * The cases of frozen weights in integers: against PyTorch's f32 and its best bf16, each a row of its own, and against
 * our own bf16 or f32, whichever is better. `targets` are the ratios aimed at to PyTorch's, in time.
 */
function casesInIntegers(precision: 'int16' | 'int8', targets: Readonly<Record<Float, number>>): Cases {
  const rows = (what: string, run: Omit<Run, 'side' | 'precision'>): readonly Case[] => {
    const theirs = (['f32', 'bf16'] as const).map((other) =>
      ofTime(
        `${what}, ${precision} against the best ${other}`,
        against({ ...run, precision }, other),
        targets[other],
      ),
    );
    const mine: Run = { ...run, side: 'millrace', precision };
    return [...theirs, ofTime(`${what}, ${precision} against our floats`, { mine, theirs: inFloats(mine) })];
  };
  const step: Run = { ...LORA_STEP, side: 'millrace', precision };
  const memory: Case = {
    title: `its peak memory, ${precision} against our floats`,
    mine: step,
    theirs: inFloats(step),
    of: 'peak_rss_mb',
    target: 1,
  };
  return [
    [precision, [...rows('ViT-B LoRA step', LORA_STEP), memory]],
    [`tiny-${precision}`, rows('DeiT-Tiny LoRA step', { ...LORA_STEP, model: 'deit-tiny' })],
    [`inference-${precision}`, rows('ViT-B inference', { ...LORA_STEP, command: 'inference' })],
    [`ceiling-${precision}`, [ceiling(step)]],
  ];
}

const MIXED: Case = {
  title: 'ViT-B LoRA step, bf16 against the best f32',
  ...against({ ...LORA_STEP, precision: 'bf16' }, 'f32'),
  of: 's_per_step',
  target: 10,
};

/**
 * Targets in bf16 are for a machine with AMX; those in f32, for processors without bf16, are to be no slower than the
 * peer. Those of integers are for AVX2 against f32, and for AVX512-VNNI against bf16.
 */
const cases: ReadonlyMap<string, readonly Case[]> = new Map([
  ...casesIn('bf16', '', { step: 2.5, tiny: 2.5, inference: 2 }),
  ['mixed', [MIXED]] as const,
  ...casesIn('f32', '-f32', { step: 1.3 }),
  ...casesInIntegers('int16', { f32: 1.3, bf16: 1.3 }),
  ...casesInIntegers('int8', { f32: 1.6, bf16: 2 }),
]);

const USUAL = ['bf16', 'f32', 'mixed', 'tiny', 'inference', 'localized', 'ceiling'].concat(
  ['int16', 'int8'].flatMap((name) => [name, `tiny-${name}`, `inference-${name}`, `ceiling-${name}`]),
);

export default command({
  description: 'training and inference beside PyTorch, in turn: ratios with their spread',
  flags: {
    Comparing: {
      cases: z
        .array(z.enum([...cases.keys()] as [string, ...string[]]))
        .min(1)
        .default(USUAL)
        .describe('what is compared'),
      without: z
        .array(z.enum(['f32', 'bf16']))
        .default([])
        .describe(
          'precisions of peers that are left out: bf16 where a processor has to imitate it, which takes PyTorch minutes a step',
        ),
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
  run: async ({ cases: caseNames, without, rounds, json, update, ...how }) => {
    const threads = how.threads ?? availableCores();
    const comparisons = caseNames
      .flatMap((name) => cases.get(name)!)
      .map(({ theirs, ...rest }) => ({
        ...rest,
        theirs: theirs.filter(({ precision }) => !without.some((left) => left === precision)),
      }))
      .filter(({ theirs }) => theirs.length > 0);
    if (comparisons.length === 0)
      throw new UserError(
        `--without ${without.join()}: expected a case with peers left, got none in --cases ${caseNames.join()}`,
      );
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
    ['case', 'ours', 'peer', 'peer / ours', 'spread', 'aim', 'the peer that counts'],
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
