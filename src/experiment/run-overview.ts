import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Event } from '../events/event.js';
import { parseEvent } from '../events/parse-event.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { isLocked } from '../files/folder-lock.js';
import { type Summary, summarize, type TestScores } from '../loggers/summary.js';
import { checkpointStore } from '../train/checkpoint-store.js';
import { readCheckpointInfo } from '../train/read-checkpoint.js';

/**
 * What became of a run: `interrupted` ones were killed, stopped or have failed; `malformed` ones have logs that are not
 * whole; of `unlogged` ones there are only checkpoints.
 */
export type RunState =
  | 'running'
  | 'finished'
  | 'stopped early'
  | 'diverged'
  | 'interrupted'
  | 'malformed'
  | 'unlogged';

/** What the files of a run tell about it, whatever became of it. What they do not tell is null. */
export interface RunOverview {
  readonly name: string;
  readonly state: RunState;
  /** What is wrong with its files. */
  readonly problem: string | null;
  /** `head` or `full` where there is no adapter. */
  readonly adapter: string | null;
  readonly adapterParameters: number | null;
  readonly headParameters: number | null;
  readonly backboneParameters: number | null;
  readonly seed: number | null;
  /** Completed epochs, and those that were asked for. */
  readonly epoch: number;
  readonly epochs: number | null;
  readonly step: number;
  /** The split of `scores`: the last test, or else the last validation. */
  readonly split: string | null;
  readonly scores: TestScores;
  /** When it began, in milliseconds since 1970. */
  readonly started: number | null;
  readonly seconds: number | null;
  readonly engine: string | null;
  readonly precision: string | null;
  readonly classes: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  /** Its events, of steps the last one alone. */
  readonly events: readonly Event[];
}

/**
 * Reads a run's folder of logs; undefined where it holds no events file.
 *
 * Of step events only the last is parsed, so that a hundred runs of ten thousand steps are read in a second or two.
 *
 * @example
 * const run = await loggedRun('logs/lora_42_1');
 * console.log(run?.state, run?.scores);
 */
export async function loggedRun(logs: string): Promise<RunOverview | undefined> {
  const text = await readFile(join(logs, EVENTS_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    return error;
  });
  if (text === undefined) return undefined;
  const name = basename(resolve(logs));
  if (typeof text !== 'string') return { ...NOTHING, name, state: 'malformed', problem: text.message };
  const { events, problem } = eventsIn(text);
  return describeRun(name, events, problem, logs);
}

/**
 * What a run's events tell about it, and its lock in the folder `logs`; of steps only the last one is needed.
 *
 * @param problem what is wrong with its event file; null where nothing is
 */
export function describeRun(
  name: string,
  events: readonly Event[],
  problem: string | null,
  logs: string,
): RunOverview {
  const about = events.find((event) => event.type === 'run');
  const last = events.findLast((event) => event.type === 'step' || event.type === 'epoch');
  const state = problem !== null || !about ? 'malformed' : stateOf(events, logs);
  return {
    ...NOTHING,
    name,
    state,
    problem: about || events.length === 0 ? problem : (problem ?? 'expected a run event first'),
    step: last?.step ?? 0,
    ...(about && {
      adapter: about.adapter === 'none' ? String(about.config['mode'] ?? 'none') : about.adapter,
      adapterParameters: about.adapterParameters,
      headParameters: about.headParameters,
      backboneParameters: about.backboneParameters ?? null,
      seed: about.seed,
      epochs: about.epochs,
      started: about.time,
      engine: about.engine,
      precision: about.precision,
      classes: about.classes,
      config: about.config,
      versions: about.versions,
      ...figuresOf(summarize(events)!),
    }),
    events,
  };
}

/** A run that has begun and has not logged anything yet. */
export function startedRun(name: string): RunOverview {
  return { ...NOTHING, name, state: 'running' };
}

/** A run of which there are only checkpoints; undefined where there are none. */
export async function checkpointedRun(models: string): Promise<RunOverview | undefined> {
  const name = basename(resolve(models));
  const store = checkpointStore(models);
  try {
    const path = (await store.best()) ?? (await store.last());
    if (path === undefined) return undefined;
    const { config, epoch, position, seed, score, versions } = await readCheckpointInfo(path);
    const adapter = (config['model'] as { adapter?: { name?: string } } | undefined)?.adapter?.name;
    return {
      ...NOTHING,
      name,
      state: 'unlogged',
      adapter: adapter ?? String(config['mode'] ?? 'none'),
      seed,
      epoch,
      step: position,
      ...(score && { split: 'validation', scores: { [score.metric]: score.value } }),
      config,
      versions,
    };
  } catch (error) {
    return { ...NOTHING, name, state: 'malformed', problem: (error as Error).message };
  }
}

const NOTHING = {
  problem: null,
  adapter: null,
  adapterParameters: null,
  headParameters: null,
  backboneParameters: null,
  seed: null,
  epoch: 0,
  epochs: null,
  step: 0,
  split: null,
  scores: {},
  started: null,
  seconds: null,
  engine: null,
  precision: null,
  classes: [],
  config: {},
  versions: {},
  events: [],
} satisfies Omit<RunOverview, 'name' | 'state'>;

/** The events of a file, of steps the last one, and the first fault. A torn last line is none: killed runs leave it. */
function eventsIn(text: string): { readonly events: Event[]; readonly problem: string | null } {
  const events: Event[] = [];
  let problem: string | null = null;
  const lines = text.split('\n').slice(0, -1);
  const isStep = (line: string) => line.startsWith('{"type":"step",') && line.endsWith('}');
  const lastStep = lines.findLastIndex(isStep);
  lines.forEach((line, i) => {
    if (i !== lastStep && isStep(line)) return;
    const event = parseEvent(line);
    if (!('wrong' in event)) events.push(event);
    else problem ??= `${EVENTS_FILE}:${i + 1}: expected an event, got ${event.wrong}`;
  });
  return { events, problem };
}

function stateOf(events: readonly Event[], logs: string): RunState {
  const done = events.findLast((event) => event.type === 'done');
  if (!done) return isLocked(logs) ? 'running' : 'interrupted';
  return ({ finished: 'finished', 'early-stop': 'stopped early', guard: 'diverged' } as const)[done.reason];
}

function figuresOf({ epochs, seconds, validation, test }: Summary) {
  const scores = test ?? validation;
  return {
    epoch: epochs,
    seconds,
    split: test ? 'test' : validation ? 'validation' : null,
    scores: scores ?? {},
  };
}
