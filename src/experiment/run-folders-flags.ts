import { z } from 'zod';

/** Flags that say where runs are. */
export const runFoldersFlags = {
  logDir: z.string().min(1).default('logs').describe("folder of the runs' logs, or of one run"),
  modelDir: z.string().min(1).default('models').describe('folder of their checkpoints'),
};
