import { join } from 'node:path';
import { type LoggerFor, type RunEnd } from '../../src/loggers/logger.js';
import { mlflow } from '../../src/loggers/mlflow.js';
import { tensorBoard } from '../../src/loggers/tensor-board.js';
import { trackio } from '../../src/loggers/trackio.js';
import { wandb } from '../../src/loggers/wandb.js';
import { FakeMlflow } from '../loggers/fake-mlflow.js';
import { readTensorBoard } from '../loggers/read-tensor-board.js';
import { readTrackio } from '../loggers/read-trackio.js';
import { readWandb } from '../loggers/read-wandb.js';
import type { TrackedRun } from '../loggers/tracked-run.js';

/** A tracker under test: it logs in a folder or to a server, and finds all runs that are there. */
interface Tracker {
  readonly logger: LoggerFor;
  read(): Promise<TrackedRun[]>;
  close(): Promise<void>;
}

interface TrackerSubject {
  readonly name: string;
  /** How it says that a run ended. */
  readonly ends: Readonly<Record<RunEnd, unknown>>;
  open(logs: string): Promise<Tracker>;
}

export const trackers: readonly TrackerSubject[] = [
  {
    name: 'tensor-board',
    ends: { finished: 1, failed: 2, stopped: 0 },
    open: async (logs) => ({
      logger: tensorBoard(),
      read: async () => [await readTensorBoard(logs)],
      close: async () => {},
    }),
  },
  {
    name: 'wandb',
    ends: { finished: 0, failed: 1, stopped: 255 },
    open: async (logs) => ({ logger: wandb(), read: () => readWandb(logs), close: async () => {} }),
  },
  {
    name: 'trackio',
    ends: { finished: undefined, failed: 'error', stopped: 'warn' },
    open: async (logs) => ({
      logger: trackio({ dir: logs }),
      read: () => readTrackio(join(logs, 'millrace.db')),
      close: async () => {},
    }),
  },
  {
    name: 'mlflow',
    ends: { finished: 'FINISHED', failed: 'FAILED', stopped: 'KILLED' },
    open: async () => {
      const server = new FakeMlflow();
      await server.start();
      return {
        logger: mlflow({ uri: server.uri, pause: 1 }),
        read: async () =>
          server.runs.map(({ points, params, status }) => ({
            scalars: (name) =>
              points.filter(({ key }) => key === name).map(({ step, value }) => [step, Number(value)]),
            settings: Object.fromEntries(params),
            end: status,
          })),
        close: () => server.stop(),
      };
    },
  },
];
