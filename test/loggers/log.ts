import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../src/events/event.js';
import type { Logger } from '../../src/loggers/logger.js';

/** Hands events to a logger as `logTo` does; without `close`, as a process does that is killed. */
export async function log(logger: Logger, events: readonly Event[], { close = true } = {}): Promise<void> {
  for (const event of events) await logger.next(event);
  if (close) await logger.close?.();
}

/** A folder of the test's own. */
export async function withFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-events-'));
  try {
    await test(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
