import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic.js';
import type { Event, Scores, ValidationEvent } from './event.js';
import { type Logger, type LogOptions, secondsOf, withEarlier } from './logger.js';

/** What a finished run leaves for tables: figures in full precision. */
export interface Summary {
  readonly run: string;
  readonly adapter: string;
  readonly adapterParameters: number;
  readonly headParameters: number;
  readonly engine: string;
  readonly precision: string;
  readonly seed: number;
  /** Epochs that were trained to their end: fewer than asked for where the run stopped early. */
  readonly epochs: number;
  /** From the first event to the last, summed over the processes that the run took. */
  readonly seconds: number;
  /** Of training steps: validation and waiting for data not counted. */
  readonly imagesPerSecond: number;
  /** The last scores on the validation split; null where none were taken. */
  readonly validation: (TestScores & Pick<Scores, 'loss'>) | null;
  /** The last scores on the split `test`; null where none were taken. */
  readonly test: TestScores | null;
}

/** The scores that tables compare. */
export type TestScores = Pick<Scores, 'softDice' | 'softIou' | 'dice' | 'iou' | 'miou' | 'accuracy'>;

/** Scores without the confusion matrix and the loss. */
export function testScores({ softDice, softIou, dice, iou, miou, accuracy }: Scores): TestScores {
  return { softDice, softIou, dice, iou, miou, accuracy };
}

/** The summary of a run's events; undefined where they do not say what ran. */
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
    epochs: epochs.length,
    seconds: secondsOf(events),
    imagesPerSecond: sum('seconds') > 0 ? sum('images') / sum('seconds') : 0,
    validation: validation ? { loss: validation.loss, ...testScores(validation) } : null,
    test: test ? testScores(test) : null,
  };
}

/** Writes `<dir>/summary.json` at the run's `done` event: a run that was cut short leaves none. */
export function summary(dir: string, { earlier = [] }: LogOptions = {}): Logger {
  const path = join(dir, 'summary.json');
  let events: Event[] | undefined;
  return {
    name: path,
    next: async (event) => {
      if (!events) events = [...withEarlier(earlier, event)];
      else if (event.type !== 'step') events.push(event);
      if (event.type === 'done')
        await writeFileAtomic(path, `${JSON.stringify(summarize(events) ?? {}, undefined, 2)}\n`);
    },
  };
}
