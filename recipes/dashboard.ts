// Serves a page that shows runs while they train, compares finished ones, and shows studies.
//
//   node recipes/dashboard.js
//   npx millrace dashboard --logs logs/ --port 8080

import { DASHBOARD_PORT, dashboard, printable, recipe } from 'millrace/recipe';
import { tap } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'Serves a page of the runs in a folder, live and compared, and of studies.',
  flags: {
    Dashboard: {
      logs: z.string().min(1).default('logs').describe("folder of the runs' logs, or of one run"),
      storage: z
        .string()
        .min(1)
        .optional()
        .describe(
          'storage of studies, as of hyperparam-optim; default: sqlite:///study.db, where it is there',
        ),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .default(DASHBOARD_PORT)
        .describe('port on which it listens; 0 for any free one'),
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe(
          'address on which it listens; other machines reach it by 0.0.0.0, with the token that it prints',
        ),
    },
  },
  run: (options) =>
    dashboard(options).pipe(
      tap((address) => process.stdout.write(printable(`${options.logs}: ${address}; ctrl-C stops it\n`))),
    ),
});
