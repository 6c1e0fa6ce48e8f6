import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import type { CheckpointEvent, Event } from './event.js';
import { parseEvent } from './parse-event.js';

/** The name of a run's events file in its folder of logs. */
export const EVENTS_FILE = 'events.jsonl';

/**
 * Reads an events file; a torn last line, which a killed run leaves, is left out. Figures that JSON has as null are NaN.
 *
 * @throws UserError where there is no such file, and by its number for a line in between that is no whole event.
 */
export async function readEvents(path: string): Promise<Event[]> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(`${path}: expected an events file, got ${whatIsThere(cause)}`, { path }, { cause });
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((json, i) => {
      const event = parseEvent(json);
      if (!('wrong' in event)) return event;
      throw new UserError(
        `${path}:${i + 1}: expected an event as a line of JSON, got ${event.wrong}; correct the line, or remove the file`,
        { path, line: i + 1 },
      );
    });
}

/**
 * The events in `<dir>/events.jsonl` that a run resumed after `step` batches keeps: those up to its checkpoint. A
 * killed run may have logged past it, and those steps will be made again. Empty where there is no file.
 *
 * A process that is killed just after a checkpoint became whole has not logged it yet; pass it as `lost`, and it
 * takes its place.
 */
export async function earlierEvents(
  dir: string,
  step: number,
  checkpoint?: CheckpointEvent,
): Promise<Event[]> {
  const path = join(dir, EVENTS_FILE);
  if (!existsSync(path)) return [];
  const events = await readEvents(path);
  const index = events.findLastIndex((event) => event.type === 'checkpoint' && event.step === step);
  if (index >= 0) return events.slice(0, index + 1);
  const last = events.findLastIndex(
    (event) => event.type === 'run' || (event.type !== 'done' && 'step' in event && event.step! <= step),
  );
  return [...events.slice(0, last + 1), ...(checkpoint ? [checkpoint] : [])];
}
