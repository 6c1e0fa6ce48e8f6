import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event } from '../events/event.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { writeFileAtomic } from '../files/atomic.js';
import { writeError } from '../files/write-error.js';
import { folderFor, type Logger, type LoggerFor, withEarlier } from './logger.js';

/**
 * Every event as one line of JSON in `<dir>/events.jsonl`, by default in the run's folder of logs: the whole run, for programs.
 *
 * A line is in the file as soon as it is written, so a killed process loses none but perhaps a torn last one. But for
 * clocks, a resumed run's file is the one that an unbroken run leaves. JSON has no NaN: it stands there as null.
 *
 * @example
 * training$.pipe(logTo(run, jsonLines()));
 */
export function jsonLines(dir?: string): LoggerFor {
  return ({ logs, earlier = [] }) => linesIn(folderFor('jsonLines', dir, logs), earlier);
}

function linesIn(dir: string, earlier: readonly Event[]): Logger {
  const path = join(dir, EVENTS_FILE);
  let file: FileHandle | undefined;
  /** Replaces the file at the first event, whole or not at all. */
  const begin = async (first: Event) => {
    await writeFileAtomic(path, withEarlier(earlier, first).map(line).join(''));
    file = await open(path, 'a');
  };
  return {
    name: path,
    next: async (event) => {
      if (!file) return begin(event);
      await file.appendFile(line(event)).catch((error: unknown) => {
        throw writeError(path, error);
      });
    },
    close: () => file?.close(),
  };
}

function line(event: Event): string {
  return `${JSON.stringify(event)}\n`;
}
