import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { concatMap, identity, lastValueFrom, range, tap } from 'rxjs';
import { z } from 'zod';
import { logTo } from '../../operators/log-to.js';
import type { StepEvent } from '../../src/events/event.js';
import { mlflow } from '../../src/loggers/mlflow.js';
import { engineFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { median, timed } from '../measure.js';
import { randomSegmenter } from '../models.js';
import { rounded } from '../result.js';
import { startEngine, stepOf } from '../setup.js';

const flags = {
  Model: modelFlags,
  Engine: engineFlags,
  Measuring: {
    steps: z.int().min(1).default(20).describe('training steps of each run'),
    rounds: z.int().min(1).default(5).describe('repetitions of each way, in turn'),
    json: z.boolean().default(false).describe('print one JSON object'),
  },
};

/** With an MLflow server that is sound, or at fault in one way. */
const WAYS = ['sound', 'hangs', 'refuses', 'fails', 'dies'] as const;
type Way = (typeof WAYS)[number];

/** What a tracker costs, of a step: in processor time beside steps that wait, and in time beside steps that work. */
interface Cost {
  readonly way: Way;
  readonly processor: Spread;
  readonly time: Spread;
}

interface Spread {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

export default command({
  description:
    'what a tracker costs whose server is sound, hangs, refuses, fails or dies, beside steps without one',
  flags,
  run: async (settings) => {
    const { model, adapter, batch, steps, rounds, json } = settings;
    const engine = await startEngine(settings);
    const step = stepOf(randomSegmenter(model, adapter), batch);
    const seconds = median(await timed({ warmUp: 1, steps: Math.min(steps, 5) }, step));
    const wait = () => setTimeout(1000 * seconds);
    const costs: Cost[] = [];
    for (const way of WAYS) {
      // Steps differ by more from one run to the next than a tracker costs. Its own work is seen where the steps only wait.
      const processor = await shares(rounds, way, async (tracked) => {
        const { cpu } = await measured(tracked, wait, steps, batch);
        return cpu / (steps * seconds);
      });
      const time = await shares(rounds, way, async (tracked) => {
        const { wall } = await measured(tracked, step, steps, batch);
        return wall / (steps * seconds);
      });
      costs.push({ way, processor, time });
    }
    const about = { engine: engine.name, precision: engine.precision, model, adapter, batch, steps, rounds };
    const result = { ...about, s_per_step: rounded(seconds), costs };
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : textOf(result));
  },
});

/** What a way costs beyond no tracker in each round; the two take turns at being the first. */
async function shares(
  rounds: number,
  way: Way,
  run: (tracked: Way | undefined) => Promise<number>,
): Promise<Spread> {
  const differences: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? [way, undefined] : [undefined, way];
    const of = new Map<Way | undefined, number>();
    for (const tracked of order) of.set(tracked, await run(tracked));
    differences.push(of.get(way)! - of.get(undefined)!);
  }
  return {
    median: rounded(median(differences)),
    from: rounded(Math.min(...differences)),
    to: rounded(Math.max(...differences)),
  };
}

/** Seconds from the first step to the last, and of the processor: what a tracker does at the end is not counted. */
async function measured(
  way: Way | undefined,
  step: () => Promise<unknown>,
  steps: number,
  batch: number,
): Promise<{ readonly wall: number; readonly cpu: number }> {
  const server = way && (await serverOf(way, steps));
  const [start, used] = [performance.now(), process.cpuUsage()];
  let taken = { wall: 0, cpu: 0 };
  const events$ = range(1, steps).pipe(
    concatMap(async (n) => {
      await step();
      return stepEvent(n, batch);
    }),
    tap(() => {
      const { user, system } = process.cpuUsage(used);
      taken = { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
    }),
  );
  await lastValueFrom(events$.pipe(server ? logTo({}, mlflow({ uri: server.uri })) : identity));
  server?.close();
  return taken;
}

function stepEvent(step: number, images: number): StepEvent {
  const place = { step, epoch: 1, batch: step - 1, batches: step };
  const numbers = { loss: 1 / step, gradientNorm: 1, images, seconds: 1, imagesPerSecond: images };
  return { type: 'step', time: Date.now(), ...place, ...numbers, learningRate: { all: 1e-4 } };
}

/** A stand-in for an MLflow server, in this process, with one answer to all calls. */
async function serverOf(way: Way, steps: number): Promise<{ readonly uri: string; close(): void }> {
  const info = {
    run_id: 'run',
    lifecycle_stage: 'active',
    artifact_uri: 'mlflow-artifacts:/1/run/artifacts',
  };
  const answer = JSON.stringify({
    experiment: { experiment_id: '1', lifecycle_stage: 'active' },
    run: { info },
  });
  let calls = 0;
  const server: Server = createServer((request, response) => {
    request.resume();
    calls++;
    if (way === 'hangs') return;
    if (way === 'dies' && calls > Math.min(4, steps)) return void request.socket.destroy();
    response.writeHead(way === 'fails' ? 500 : 200).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (way === 'refuses') close();
  return { uri, close };
}

function textOf({
  s_per_step,
  costs,
}: {
  readonly s_per_step: number;
  readonly costs: readonly Cost[];
}): string {
  const percent = (share: number) => (100 * share).toFixed(2);
  const spread = ({ median, from, to }: Spread) =>
    `${percent(median)} % (${percent(from)} to ${percent(to)})`;
  const lines = costs.map(
    ({ way, processor, time }) =>
      `${way.padEnd(8)} ${spread(processor)} of a step in processor time, ${spread(time)} in time\n`,
  );
  return [`${s_per_step.toFixed(4)} s a step\n`, ...lines].join('');
}
