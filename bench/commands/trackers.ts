import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concatMap, identity, lastValueFrom, range, tap } from 'rxjs';
import { z } from 'zod';
import { logTo } from '../../operators/log-to.js';
import type { Config } from '../../src/cli/flag.js';
import type { StepEvent } from '../../src/events/event.js';
import { mlflow } from '../../src/loggers/mlflow.js';
import { engineFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { median } from '../measure.js';
import { randomSegmenter } from '../models.js';
import { rounded } from '../result.js';
import { startEngine, stepOf } from '../setup.js';

const flags = {
  Model: modelFlags,
  Engine: engineFlags,
  Measuring: {
    steps: z.int().min(1).default(50).describe('training steps of each way'),
    rounds: z.int().min(1).default(5).describe('repetitions of each way, in turn'),
    json: z.boolean().default(false).describe('print one JSON object'),
  },
};

type Settings = Config<typeof flags>;

/** Without a tracker; with an MLflow server that is sound, or at fault in one way. */
const WAYS = ['none', 'sound', 'hangs', 'refuses', 'fails', 'dies'] as const;
type Way = (typeof WAYS)[number];

export default command({
  description:
    'steps with a tracker whose server is sound, hangs, refuses, fails or dies, beside steps without one',
  flags,
  run: async (settings) => {
    const { model, adapter, batch, steps, rounds, json } = settings;
    const engine = await startEngine(settings);
    const step = stepOf(randomSegmenter(model, adapter), batch);
    await secondsOf('none', step, settings);
    const rows: Record<Way, number>[] = [];
    for (let round = 0; round < rounds; round++) {
      const row = {} as Record<Way, number>;
      for (const way of WAYS) row[way] = await secondsOf(way, step, settings);
      rows.push(row);
    }
    const medians = (value: (row: Record<Way, number>, way: Way) => number) =>
      Object.fromEntries(WAYS.map((way) => [way, rounded(median(rows.map((row) => value(row, way))))]));
    const result = {
      engine: engine.name,
      precision: engine.precision,
      model,
      adapter,
      batch,
      steps,
      rounds,
      s_per_step: medians((row, way) => row[way] / steps),
      // The share of the throughput that a tracker costs: medians over rounds of neighbours in time.
      cost: medians((row, way) => 1 - row.none / row[way]),
    };
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : textOf(result));
  },
});

/** Seconds from the first step to the last: what a tracker does at the end of the run is not counted. */
async function secondsOf(
  way: Way,
  step: () => Promise<unknown>,
  { batch, steps }: Settings,
): Promise<number> {
  const server = way === 'none' ? undefined : await serverOf(way, steps);
  const start = performance.now();
  let seconds = 0;
  const events$ = range(1, steps).pipe(
    concatMap(async (n) => {
      await step();
      return stepEvent(n, batch);
    }),
    tap(() => {
      seconds = (performance.now() - start) / 1000;
    }),
  );
  await lastValueFrom(events$.pipe(server ? logTo({}, mlflow({ uri: server.uri })) : identity));
  server?.close();
  return seconds;
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
  cost,
}: Readonly<Record<'s_per_step' | 'cost', Readonly<Record<string, number>>>>): string {
  return WAYS.map(
    (way) =>
      `${way.padEnd(8)} ${s_per_step[way]!.toFixed(4)} s a step, ${(100 * cost[way]!).toFixed(1)} % of the throughput\n`,
  ).join('');
}
