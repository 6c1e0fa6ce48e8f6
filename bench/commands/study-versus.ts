import { z } from 'zod';
import { createStudy } from '../../src/study/create-study.js';
import { TpeSampler } from '../../src/study/samplers/tpe/tpe.js';
import { command } from '../command.js';
import { median } from '../measure.js';
import { optuna } from '../peers/optuna.js';
import { PLACES } from '../places.js';
import { markdown } from '../report.js';
import { root } from '../root.js';

const CASES = {
  'memory-1000': { place: 'memory', trials: 1000 },
  'memory-10000': { place: 'memory', trials: 10_000 },
  'sqlite-1000': { place: 'sqlite', trials: 1000 },
  'postgresql-1000': { place: 'postgresql', trials: 1000 },
} as const;
type Case = keyof typeof CASES;

interface Row {
  readonly case: Case;
  /** Trials a second, medians over the rounds. */
  readonly ours: number;
  readonly peer: number;
  /** ours / peer within a round: median, least and most. */
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
}

export default command({
  description: "TPE's ask and tell on x² + y², beside Optuna 4.9 in turn: trials a second",
  flags: {
    Bench: {
      cases: z
        .string()
        .default(Object.keys(CASES).join(','))
        .describe('which, of these; the first round of each finds our code not yet compiled'),
      rounds: z.int().min(1).default(3).describe('how often each side runs; the median counts'),
      json: z.boolean().default(false).describe('print {rows: [{case, ours, peer, ratio, min, max}]}'),
    },
  },
  run: async ({ cases, rounds, json }) => {
    const names = z.array(z.enum(Object.keys(CASES) as [Case, ...Case[]])).parse(cases.split(','));
    const rows: Row[] = [];
    for (const name of names) {
      const [ours, peer]: [number[], number[]] = [[], []];
      for (let round = 1; round <= rounds; round++) {
        ours.push(await inPlace(name, ourSpeed));
        peer.push(await inPlace(name, peerSpeed));
        console.error(
          `${name} ${round}/${rounds}: ours ${ours.at(-1)!.toFixed(0)}, Optuna ${peer.at(-1)!.toFixed(0)}`,
        );
      }
      const ratios = ours.map((value, i) => value / peer[i]!);
      rows.push({
        case: name,
        ours: median(ours),
        peer: median(peer),
        ratio: median(ratios),
        min: Math.min(...ratios),
        max: Math.max(...ratios),
      });
    }
    if (json) console.log(JSON.stringify({ rows }));
    else {
      const cells = (row: Row) => [row.case, ...[row.ours, row.peer].map((x) => x.toFixed(0))];
      const spread = ({ ratio, min, max }: Row) =>
        `${ratio.toFixed(1)} (${min.toFixed(1)} to ${max.toFixed(1)})`;
      const head = ['case', 'ours, trials/s', 'Optuna, trials/s', 'ratio'];
      console.log(
        markdown(
          head,
          rows.map((row) => [...cells(row), spread(row)]),
        ),
      );
    }
  },
});

async function inPlace(name: Case, run: (trials: number, url: string) => Promise<number>): Promise<number> {
  const { place, trials } = CASES[name];
  const { url, remove } = await PLACES[place]!();
  try {
    return await run(trials, url);
  } finally {
    await remove();
  }
}

async function ourSpeed(trials: number, storage: string): Promise<number> {
  const study = await createStudy({ storage, sampler: new TpeSampler({ seed: 1 }) });
  const start = performance.now();
  for (let i = 0; i < trials; i++) {
    const trial = await study.ask();
    const x = trial.suggestFloat('x', -100, 100);
    const y = trial.suggestInt('y', -100, 100);
    await study.tell(trial, x * x + y * y);
  }
  const seconds = (performance.now() - start) / 1000;
  await study.close();
  return trials / seconds;
}

async function peerSpeed(trials: number, url: string): Promise<number> {
  const python = await optuna();
  const storage = url.startsWith('memory') ? [] : [url.replace('postgresql:', 'postgresql+psycopg2:')];
  const script = new URL('bench/peers/optuna_speed.py', root);
  const printed = await python.json<{ trials_per_s: number }>(script, [String(trials), ...storage]);
  return printed.trials_per_s;
}
