import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { numbersOf } from '../events/shown-scores.js';
import { markdownText, type Row } from '../files/tables.js';
import { readSummary, type Summary } from '../loggers/summary.js';
import type { CheckpointInfo } from '../train/checkpoint.js';
import { isClassification, type TrainedRun } from './trained-runs.js';

/** What a model card is about. */
export interface CardSubject {
  readonly run: TrainedRun;
  readonly info: CheckpointInfo;
  /** The figures of the finished run; undefined where its logs are not found. */
  readonly summary: Summary | undefined;
  /** The version of the package. */
  readonly version: string;
  /** The paragraphs and code that say how to load the export. */
  readonly usage: string;
}

/** Settings that say where files lay and how the run was watched, not what the model is. */
const LEFT_OUT =
  /^(model|imageDir|maskDir|labels|list|plugin|config|runName|resume|overwrite|outDir|logDir|plotDir|checkpointEvery|keep|logger)$|^cache/;

/** The figures of a run whose logs lie in `logDir`, or where the run itself put them, beside its checkpoints. */
export async function summaryOf(
  { name, path }: TrainedRun,
  info: CheckpointInfo,
  logDir: string,
): Promise<Summary | undefined> {
  const recorded = typeof info.config['logDir'] === 'string' ? info.config['logDir'] : 'logs';
  const places = [join(logDir, name), resolve(dirname(resolve(path)), '..', '..', recorded, name)];
  const place = places.find((folder) => existsSync(join(folder, 'summary.json')));
  return place === undefined ? undefined : readSummary(place);
}

/** The README.md of an exported model: what it is, its scores, how to load it, and how it was trained. */
export function modelCard({ run, info, summary, version, usage }: CardSubject): string {
  const { classNames, model, randomSeed } = run.settings;
  const task = isClassification(run) ? 'image-classification' : 'image-segmentation';
  const adapter = model.adapter?.name ?? 'none';
  const base = isHubId(model.modelName) ? model.modelName : undefined;
  const front = [
    'library_name: millrace',
    `pipeline_tag: ${task}`,
    `tags: [vit, ${adapter}]`,
    ...(base ? [`base_model: ${base}`] : []),
  ];
  return `---
${front.join('\n')}
---

# ${run.name}

A ViT fine-tuned for ${task.replace('-', ' ')} with Millrace ${version}: adapter ${adapter}, seed ${randomSeed}, checkpoint after ${info.position} batches (epoch ${info.epoch}).
${inPlaceText(run)}
Classes: ${classNames.map((name, id) => `${id} = ${name}`).join(', ')}.

## Scores

${scoresText(run, info, summary)}## Use

${usage}
## Settings

${markdownText(settingsOf(info))}`;
}

/** What took the place of the run's adapter. */
function inPlaceText({ adapters }: TrainedRun): string {
  if (!adapters) return '';
  const { paths, combine } = adapters;
  const weights = Object.entries(combine ?? {}).map(([name, weight]) => `${weight} × ${name}`);
  const text = combine ? `the sum ${weights.join(' + ')}` : Object.keys(paths).join();
  return `\nIn place of that adapter it has ${text}, added after the training.\n`;
}

function scoresText(
  { settings, adapters }: TrainedRun,
  { score }: CheckpointInfo,
  summary: Summary | undefined,
): string {
  if (adapters) return 'It has not been scored with these adapters.\n\n';
  const own = score ? `Validation ${score.metric} of this checkpoint: ${score.value.toFixed(4)}.\n\n` : '';
  const { validation = null, test = null } = summary ?? {};
  const scores = test ?? validation;
  if (!scores) return `${own}The logs of the run, and so its other scores, were not found.\n\n`;
  const rows = numbersOf(scores).map(
    ([score]): Row => ({
      score,
      validation: numberIn(validation, score),
      ...(test && { test: numberIn(test, score) }),
    }),
  );
  const byClass = Object.entries(scores).flatMap(([name, values]): Row[] =>
    Array.isArray(values)
      ? [{ score: name, ...Object.fromEntries(settings.classNames.map((c, k) => [c, values[k] ?? null])) }]
      : [],
  );
  const which = test ? 'test' : 'validation';
  const perClass = byClass.length > 0 ? `By class, on the ${which} split:\n\n${markdownText(byClass)}\n` : '';
  return `${own}${markdownText(rows)}\n${perClass}`;
}

function numberIn(scores: object | null, name: string): number | null {
  const value = (scores as Readonly<Record<string, unknown>> | null)?.[name];
  return typeof value === 'number' ? value : null;
}

function settingsOf({ config, versions }: CheckpointInfo): Row[] {
  const rows = Object.entries({ ...config, ...versions })
    .filter(([name]) => !LEFT_OUT.test(name))
    // A folder of the machine that trained says nothing to others.
    .map(([setting, value]): [string, unknown] =>
      setting === 'modelName' && !isHubId(`${value}`) ? [setting, basename(`${value}`)] : [setting, value],
    )
    .map(([setting, value]) => ({
      setting,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    }));
  return rows;
}

/** Whether a model's name is one of the Hugging Face hub, `owner/name`. */
function isHubId(name: string): boolean {
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(name);
}
