// Compares runs: the settings that differ, scores side by side, their curves, and which differences are real.
//
//   node recipes/compare.js lora_42_1 localized_lora_42_1
//   npx millrace compare lora_42_1 lora_43_1 --output-dir results/compare

import { join } from 'node:path';
import { UserError } from 'millrace';
import {
  comparedCurves,
  comparedPictures,
  comparedPlots,
  comparedScoreRows,
  differingSettings,
  namedRuns,
  notePictures,
  openOutput,
  overwriteFlag,
  pictureRows,
  pictureWords,
  plainText,
  printable,
  readPictures,
  recipe,
  runFoldersFlags,
  runRecord,
  runsTable,
  sparklines,
} from 'millrace/recipe';
import { writePlot } from 'millrace/report';
import { z } from 'zod';

recipe({
  description:
    'Compares runs, whatever became of them: settings that differ, scores, curves, and which differences are real.',
  flags: {
    Runs: {
      run: z
        .array(z.string().min(1))
        .default([])
        .meta({ words: true, description: 'two or more runs, by name or by the path of their logs' }),
      ...runFoldersFlags,
    },
    Pictures: {
      scores: z
        .string()
        .min(1)
        .optional()
        .describe(
          'folder of pictures.json, by inference --resolution own, which tells the real differences; default: results/inference, where it has these runs',
        ),
    },
    Output: {
      outputDir: z
        .string()
        .min(1)
        .optional()
        .describe('folder of the curves as *.svg and *.png; default: none'),
      overwrite: overwriteFlag,
      json: z.boolean().default(false).describe('settings, scores and curves as JSON'),
    },
  },
  run: async ({ run: names, outputDir, json, overwrite, scores: counted, ...folders }) => {
    if (names.length < 2)
      throw new UserError(`expected two or more runs, such as compare A B, got ${names.join() || 'none'}`);
    const runs = await namedRuns(names, folders);
    const curves = comparedCurves(runs);
    const plots = Object.entries(comparedPlots(curves));
    const files = plots.flatMap(([name]) => [`${name}.svg`, `${name}.png`]);
    if (outputDir !== undefined) openOutput(outputDir, files, { overwrite });
    const [settings, scores] = [differingSettings(runs), comparedScoreRows(runs)];
    const pictures = comparedPictures(
      runs.map(({ name }) => name),
      (await readPictures(counted ?? 'results/inference')) ?? [],
    );
    if (json)
      process.stdout.write(
        `${JSON.stringify({ runs: runs.map(runRecord), settings, scores, curves, pictures }, undefined, 2)}\n`,
      );
    else {
      const tables = [runsTable(runs), settings, scores, sparklines(curves), pictureRows(pictures)].filter(
        (rows) => rows.length > 0,
      );
      process.stdout.write(`${tables.map(plainText).join('\n')}${pictureWords(pictures)}`);
      if (counted !== undefined && pictures.length === 0) process.stderr.write(notePictures(counted));
    }
    for (const { name, problem } of runs)
      if (problem !== null) process.stderr.write(printable(`compare: ${name}: ${problem}\n`));
    if (outputDir === undefined) return;
    for (const [name, plot] of plots) await writePlot(join(outputDir, name), plot);
    if (!json)
      process.stdout.write(printable(`\nwrote ${files.map((file) => join(outputDir, file)).join(', ')}\n`));
  },
});
