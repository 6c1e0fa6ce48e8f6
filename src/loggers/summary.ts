import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import type { Event, ValidationEvent } from '../events/event.js';
import type { Scores } from '../events/scores.js';
import { matricesOf, numbersOf } from '../events/shown-scores.js';
import { writeFileAtomic } from '../files/atomic.js';
import { folderFor, type Logger, type LoggerFor, secondsOf, withEarlier } from './logger.js';

/** The figures of a finished run, in full precision. */
export interface Summary<S extends TestScores = TestScores> {
  readonly run: string;
  readonly adapter: string;
  readonly adapterParameters: number;
  readonly headParameters: number;
  readonly engine: string;
  readonly precision: string;
  readonly seed: number;
  /**
   * Set if the guard stopped the run: its scores are those of its last good weights, and studies leave them out.
   */
  readonly diverged?: true;
  /** Completed epochs: fewer than requested if the run stopped early. */
  readonly epochs: number;
  /** From the first event to the last, summed over the processes that the run took. */
  readonly seconds: number;
  /** Throughput of training steps, without validation and waiting for data. */
  readonly imagesPerSecond: number;
  /** The last scores on the validation split, and its loss; null if there are none. */
  readonly validation: (S & { readonly loss: number }) | null;
  /** The last scores on the split `test`; null if there are none. */
  readonly test: S | null;
}

/** The scores that tables compare: numbers, and vectors by class. */
export type TestScores = Readonly<Record<string, number | readonly (number | null)[]>>;

/** The scores except matrices and the loss. */
export function testScores({ loss: _loss, ...scores }: Scores): TestScores {
  const matrices = new Set(matricesOf(scores).map(([name]) => name));
  return Object.fromEntries(Object.entries(scores).filter(([name]) => !matrices.has(name))) as TestScores;
}

/** The summary of a run's events; undefined if they lack the `run` event. */
export function summarize(events: readonly Event[]): Summary | undefined {
  const about = events.find((event) => event.type === 'run');
  if (!about) return undefined;
  const { run, adapter, adapterParameters, headParameters, engine, precision, seed } = about;
  const epochs = events.filter((event) => event.type === 'epoch');
  const sum = (field: 'images' | 'seconds') => epochs.reduce((total, epoch) => total + epoch[field], 0);
  const last = (split: string) =>
    events.findLast((event): event is ValidationEvent => event.type === 'validation' && event.split === split)
      ?.scores;
  const [validation, test] = [last('validation'), last('test')];
  return {
    run,
    adapter,
    adapterParameters,
    headParameters,
    engine,
    precision,
    seed,
    ...(events.some((event) => event.type === 'done' && event.reason === 'guard') && {
      diverged: true as const,
    }),
    epochs: epochs.length,
    seconds: secondsOf(events),
    imagesPerSecond: sum('seconds') > 0 ? sum('images') / sum('seconds') : 0,
    validation: validation ? { loss: validation.loss, ...testScores(validation) } : null,
    test: test ? testScores(test) : null,
  };
}

/**
 * The summary that a run left in its folder of logs.
 *
 * @throws UserError where there is none, or something else in its place.
 */
export async function readSummary(logs: string): Promise<Summary> {
  const path = join(logs, 'summary.json');
  const fail = (got: string, cause: unknown) =>
    new UserError(
      `${path}: expected the scores of a finished run, got ${got}; see its warnings, make room for its logs, and run it again with --resume`,
      { path },
      { cause },
    );
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail(whatIsThere(cause), cause);
  });
  try {
    return summarySchema.parse(JSON.parse(text)) as unknown as Summary;
  } catch (cause) {
    throw fail('something else', cause);
  }
}

const figure = z.number().nullable();
const scoresSchema = z.record(z.string(), z.union([figure, z.array(figure)]));
const summarySchema = z.looseObject({
  adapterParameters: z.number(),
  headParameters: z.number(),
  diverged: z.boolean().optional(),
  validation: scoresSchema.nullable(),
  test: scoresSchema.nullable(),
});

/** Whether a run went wrong: the guard stopped it, or its scores are not numbers (null in the file). */
export function hasDiverged({ diverged, validation, test }: Summary): boolean {
  return diverged === true || [validation, test].some((scores) => scores !== null && !areNumbers(scores));
}

/** Whether the scores that every split has are numbers; a class that does not occur has none. */
export function areNumbers(scores: TestScores): boolean {
  return numbersOf(scores).every(([, value]) => Number.isFinite(value));
}

/**
 * Writes `<dir>/summary.json` at the run's `done` event: a run that was cut short leaves none, and removes an earlier
 * one.
 */
export function summary(dir?: string): LoggerFor {
  return ({ logs, earlier = [] }) => summaryIn(folderFor('summary', dir, logs), earlier);
}

function summaryIn(dir: string, earlier: readonly Event[]): Logger {
  const path = join(dir, 'summary.json');
  let events: Event[] | undefined;
  return {
    name: path,
    next: async (event) => {
      if (!events) {
        events = [...withEarlier(earlier, event)];
        await rm(path, { force: true });
      } else if (event.type !== 'step') events.push(event);
      if (event.type === 'done')
        await writeFileAtomic(path, `${JSON.stringify(summarize(events) ?? {}, undefined, 2)}\n`);
    },
  };
}
