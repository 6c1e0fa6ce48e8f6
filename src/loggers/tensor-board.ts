import { type FileHandle, open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import type { Event } from '../events/event.js';
import { numbersOf, snakeCase, vectorsOf } from '../events/shown-scores.js';
import { writeFileAtomic } from '../files/atomic.js';
import { writeError } from '../files/write-error.js';
import { folderFor, type Logger, type LoggerFor, withEarlier } from './logger.js';
import { bytes, double, float, tfRecord, utf8, varint } from './tf-record.js';

/**
 * Losses, scores, learning rates and throughput as scalars in a TensorBoard event file,
 * `<dir>/events.out.tfevents.<seconds>.<host>`; `wandb sync` and Aim import it too. Scores are `<split>/<name>`, and by
 * class `<split>_<name>/<class>`, with names in snake case; matrices are left out.
 *
 * The folder holds one run: older event files in it are removed. Values are float32, as the format has them.
 *
 * @example
 * training$.pipe(logTo(run, tensorBoard())); // tensorboard --logdir logs
 */
export function tensorBoard(dir?: string): LoggerFor {
  return ({ logs, earlier = [] }) => recordsIn(folderFor('tensorBoard', dir, logs), earlier);
}

function recordsIn(dir: string, earlier: readonly Event[]): Logger {
  let file: FileHandle | undefined;
  let path = '';
  let classes: readonly string[] = [];
  const record = (event: Event) => {
    if (event.type === 'run') classes = event.classes;
    const scalars = scalarsOf(event, classes);
    if (scalars.length === 0 || !('step' in event)) return Buffer.alloc(0);
    const values = scalars.map(([name, value]) => bytes(1, Buffer.concat([utf8(1, name), float(2, value)])));
    const summary = bytes(5, Buffer.concat(values));
    return tfRecord(Buffer.concat([double(1, event.time / 1000), varint(2, event.step ?? 0), summary]));
  };
  const begin = async (first: Event) => {
    path = join(dir, `events.out.tfevents.${Math.floor(first.time / 1000)}.${hostname()}`);
    const version = tfRecord(Buffer.concat([double(1, first.time / 1000), utf8(3, 'brain.Event:2')]));
    await writeFileAtomic(path, Buffer.concat([version, ...withEarlier(earlier, first).map(record)]));
    const { default: fastGlob } = await import('fast-glob');
    const old = await fastGlob('events.out.tfevents.*', { cwd: dir, ignore: [basename(path)] });
    for (const name of old) await rm(join(dir, name));
    file = await open(path, 'a');
  };
  return {
    name: join(dir, 'events.out.tfevents.*'),
    next: async (event) => {
      if (!file) return begin(event);
      const frame = record(event);
      if (frame.length > 0)
        await file.appendFile(frame).catch((error: unknown) => {
          throw writeError(path, error);
        });
    },
    close: () => file?.close(),
  };
}

function scalarsOf(event: Event, classes: readonly string[]): [name: string, value: number][] {
  if (event.type === 'step')
    return [
      ['train/loss', event.loss],
      ['train/gradient_norm', event.gradientNorm],
      ['train/images_per_second', event.imagesPerSecond],
      ...named('learning_rate', Object.entries(event.learningRate)),
    ];
  if (event.type === 'epoch')
    return [
      ['epoch/loss', event.loss],
      ['epoch/images_per_second', event.imagesPerSecond],
    ];
  if (event.type !== 'validation') return [];
  const { split, scores } = event;
  const byClass = (values: readonly (number | null)[]) =>
    values.flatMap((value, c): [string, number][] =>
      value === null ? [] : [[classes[c] ?? `class ${c}`, value]],
    );
  return [
    ...named(
      split,
      numbersOf(scores).map(([name, value]) => [snakeCase(name), value]),
    ),
    ...vectorsOf(scores).flatMap(([name, values]) => named(`${split}_${snakeCase(name)}`, byClass(values))),
  ];
}

function named(prefix: string, values: readonly [string, number][]): [string, number][] {
  return values.map(([name, value]) => [`${prefix}/${name}`, value]);
}
