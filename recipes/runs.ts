// Lists runs: what each trained, its state, its scores, when, and on which engine.
//
//   node recipes/runs.js
//   npx millrace runs --where adapter=lora,miou>0.7 --sort miou --json

import {
  foundRuns,
  plainText,
  printable,
  recipe,
  runFilter,
  runFoldersFlags,
  runRecord,
  runsTable,
  sortedRuns,
} from 'millrace/recipe';
import { z } from 'zod';

recipe({
  description: 'Lists the runs in a folder: finished, running, interrupted and damaged ones.',
  flags: {
    Runs: {
      ...runFoldersFlags,
      where: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'conditions that all hold, such as adapter=lora, state!=finished, lr<=1e-3 or name=pets*: on what the table shows, on scores and on settings',
        ),
      sort: z
        .string()
        .min(1)
        .default('when')
        .describe(
          'what to sort by: when, name, a score or a setting; the newest, the best and the largest first',
        ),
    },
    Output: { json: z.boolean().default(false).describe('an array of JSON with all settings and scores') },
  },
  run: async ({ where, sort, json, ...folders }) => {
    const all = await foundRuns(folders);
    const filters = where.map((expression) => runFilter(expression, all));
    const runs = sortedRuns(all, sort).filter((run) => filters.every((filter) => filter(run)));
    if (json) process.stdout.write(`${JSON.stringify(runs.map(runRecord), undefined, 2)}\n`);
    else if (runs.length === 0)
      process.stderr.write(printable(`runs: none of ${all.length} runs is ${where.join(' and ')}\n`));
    else process.stdout.write(plainText(runsTable(runs)));
    for (const { name, problem } of runs)
      if (problem !== null) process.stderr.write(printable(`runs: ${name}: ${problem}\n`));
  },
});
