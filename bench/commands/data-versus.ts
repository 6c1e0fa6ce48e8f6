import { z } from 'zod';
import { UserError } from '../../src/base/errors.js';
import { availableCores } from '../../src/engine/cores.js';
import { command } from '../command.js';
import { type dataStages, stageFlags, stagePairs } from '../data-stages.js';
import { median } from '../measure.js';
import { ours } from '../ours.js';
import { pythonWith } from '../peers/python.js';
import { machine, markdown, updateSection } from '../report.js';
import type { StepResult } from '../result.js';
import { root } from '../root.js';
import { alternate, type Comparison, type Contender, type Rounds, rowOf } from '../versus.js';

/** The requirements of the Python side. */
const PYTHON = [
  'torch==2.13.0',
  'torchvision==0.28.0',
  'numpy==2.3.5',
  'pillow==12.0.0',
  'albumentations==2.0.8',
];

type Stage = (typeof dataStages)[number];

/** What both sides print. */
interface DataResult extends StepResult {
  readonly cpu_ms_per_image: number;
  /** Theirs alone: what loads pictures in the DataLoader. */
  readonly library?: string;
  /** Ours alone: how long the event loop was held at most. */
  readonly loop_ms?: number;
  /** How long it computed at most between two turns. */
  readonly loop_work_ms?: number;
}

const MINE: readonly (readonly [name: string, stage: Stage, mode: 'exact' | 'fast'])[] = [
  ['millrace decode', 'decode', 'exact'],
  ['millrace decode fast', 'decode', 'fast'],
  ['millrace augment', 'augment', 'exact'],
  ['millrace augment fast', 'augment', 'fast'],
  ['millrace cached', 'cached', 'exact'],
];
const THEIRS = ['pil-decode', 'loader-decode', 'loader-augment', 'loader-cached'];

/** The ratios aimed at. */
const COMPARISONS: readonly Comparison[] = (
  [
    ['(a) decode + resize, exact', 'millrace decode', ['pil-decode', 'loader-decode'], 1],
    ['(a) decode + resize, fast', 'millrace decode fast', ['pil-decode', 'loader-decode'], 1.5],
    ['(b) decode + augment, exact', 'millrace augment', ['loader-augment'], 1.5],
    ['(b) decode + augment, fast', 'millrace augment fast', ['loader-augment'], 1.5],
    ['(c) augment from the cache', 'millrace cached', ['loader-cached'], 3],
  ] as const
).map(([title, mine, peers, target]) => ({ title, ours: mine, peers, of: 's_per_step', target }));

export default command({
  description: 'loading pictures beside PIL, torchvision and albumentations, in turn',
  flags: {
    Data: stageFlags,
    Comparing: {
      rounds: z.int().min(1).default(3).describe('turns of every contender'),
      passes: z.int().min(1).default(2).describe('timed passes of a turn, after one that warms up'),
      workers: z.int().min(1).optional().describe('processes of the Python side; default: one for each core'),
      json: z.boolean().default(false).describe('print one JSON object: all results'),
      update: z.boolean().default(false).describe('put the table into PERFORMANCE.md'),
    },
  },
  run: async ({ rounds, passes, json, update, ...data }) => {
    const workers = data.workers ?? availableCores();
    const { imageDir, maskDir, list, maskIds, imageSize, batchSize, images } = data;
    const pairs = (await stagePairs(data)).map(({ image, mask }) => [image, mask]);
    const mine = MINE.map(([name, stage, mode]): Contender => {
      const folders = ['--image-dir', imageDir, '--mask-dir', maskDir, '--mask-ids', maskIds.join()];
      const lists = list.length > 0 ? ['--list', list.join()] : [];
      const sizes = ['--image-size', imageSize, '--batch-size', batchSize, '--images', images].map(String);
      const what = ['--stage', stage, '--mode', mode, '--passes', `${passes}`];
      return { name, run: () => ours(['data-stage', ...folders, ...lists, ...sizes, ...what]) };
    });
    const theirs = THEIRS.map((name): Contender => {
      const job = { pairs, size: imageSize, batch: batchSize, passes, workers };
      const run = async () => {
        const python = await pythonWith('data', PYTHON);
        return python.json<DataResult>(new URL('bench/peers/data_bench.py', root), [name], job);
      };
      return { name, run };
    });
    const outcome = await alternate([...mine, ...theirs], rounds, (line) =>
      process.stderr.write(`${line}\n`),
    );
    const text = report(outcome, { workers, rounds, images: pairs.length });
    process.stdout.write(json ? `${JSON.stringify(Object.fromEntries(outcome.results))}\n` : text);
    if (update) await updateSection('data', text);
  },
});

function report(
  outcome: Rounds,
  { workers, rounds, images }: { readonly workers: number; readonly rounds: number; readonly images: number },
): string {
  const each = (name: string, field: 'cpu_ms_per_image' | 'loop_ms' | 'loop_work_ms') =>
    (outcome.results.get(name) as readonly DataResult[]).map((result) => result[field] ?? 0);
  const processorTime = (name: string) => median(each(name, 'cpu_ms_per_image'));
  const longest = (name: string, field: 'loop_ms' | 'loop_work_ms') =>
    Math.max(...each(name, field)).toFixed(1);
  const library = (name: string) => {
    const [result] = outcome.results.get(name) as readonly DataResult[];
    return result?.library ? `${name} (${result.library})` : name;
  };
  const rows = COMPARISONS.flatMap((comparison) => {
    const row = rowOf(comparison, outcome);
    if (!row) return [];
    const [mine, peer] = [processorTime(comparison.ours), processorTime(row.peerName)];
    return [
      [
        row.case,
        (1 / row.ours).toFixed(0),
        (1 / row.peer).toFixed(0),
        row.ratio.toFixed(2),
        `${row.min.toFixed(2)} – ${row.max.toFixed(2)}`,
        `≥ ${row.target.toFixed(1)}`,
        `${mine.toFixed(2)} / ${peer.toFixed(2)} ms`,
        `${longest(comparison.ours, 'loop_ms')} / ${longest(comparison.ours, 'loop_work_ms')} ms`,
        library(row.peerName),
      ],
    ];
  });
  if (rows.length === 0)
    throw new UserError(
      `data versus: expected both sides to run, got ${[...outcome.failed.values()].join('; ')}`,
    );
  const head = [
    'case',
    'ours/s',
    'peer/s',
    'ratio',
    'spread',
    'aim',
    'processor time',
    'loop held: in all / by its own work',
    'the peer',
  ];
  return `${machine()}; ${images} pictures, ${workers} Python workers, ${rounds} rounds\n\n${markdown(head, rows)}`;
}
