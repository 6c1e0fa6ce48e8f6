import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { filter, firstValueFrom, merge, type Observable, Subject, takeUntil, timer } from 'rxjs';
import type { LogFolder } from './log-folder.js';
import type { RunChange } from './protocol.js';

/** The most streams at once; the next one is refused. */
export const MOST_STREAMS = 128;
/** Milliseconds after which a stream without news says that it lives. */
const HEARTBEAT = 15_000;

/**
 * The event streams of a folder: each sends what has changed since the version that it has sent, however long its reader
 * took for that, so that nothing queues. A reader that comes again says by Last-Event-ID what it has seen.
 */
export class EventStreams {
  /** Distinguishes the versions of this process from those of an earlier one. */
  readonly #server = randomUUID().slice(0, 8);
  readonly #closed$ = new Subject<void>();
  #open = 0;
  #isClosed = false;

  constructor(private readonly folder: LogFolder) {}

  /** Answers with a stream of the runs that `?run=` names, `*` for all: details of these, rows of all. */
  answer(c: Context): Response {
    if (this.#open >= MOST_STREAMS || this.#isClosed) {
      c.header('Retry-After', '5');
      return c.text(`expected at most ${MOST_STREAMS} event streams, got one more; close some pages\n`, 503);
    }
    const selected = new Set(c.req.queries('run'));
    const seen = this.#versionOf(c.req.header('last-event-id'));
    c.header('X-Accel-Buffering', 'no');
    this.#open++;
    return streamSSE(c, async (stream) => {
      const gone$ = new Subject<void>();
      stream.onAbort(() => gone$.next());
      try {
        await this.#send(stream, selected, seen, merge(gone$, this.#closed$));
      } finally {
        this.#open--;
      }
    });
  }

  /** Ends all streams. */
  close(): void {
    this.#isClosed = true;
    this.#closed$.next();
  }

  async #send(
    stream: SSEStreamingApi,
    selected: ReadonlySet<string>,
    seen: number,
    end$: Observable<void>,
  ): Promise<void> {
    const { folder } = this;
    // Keeps the folder looking while this stream is busy with its reader.
    const watching = folder.changes$.pipe(folder.prefer([...selected]), takeUntil(end$)).subscribe();
    let sent = seen;
    try {
      while (!this.#isClosed && !stream.aborted && !stream.closed) {
        const version = folder.version;
        if (version > sent) await this.#sendSince(stream, selected, sent, version);
        else await stream.write(': alive\n\n');
        sent = version;
        const news$ = merge(folder.changes$.pipe(filter((now) => now > sent)), timer(HEARTBEAT));
        if (folder.version === sent)
          await firstValueFrom(news$.pipe(takeUntil(end$)), { defaultValue: undefined });
      }
    } finally {
      watching.unsubscribe();
    }
  }

  async #sendSince(
    stream: SSEStreamingApi,
    selected: ReadonlySet<string>,
    sent: number,
    version: number,
  ): Promise<void> {
    for (const run of this.folder.changedSince(sent)) {
      if (stream.aborted || this.#isClosed) return;
      const isSelected = selected.has(run.name) || selected.has('*');
      const change: RunChange = {
        row: run.row,
        ...(isSelected && { details: run.detailsSince(sent) }),
      };
      await stream.writeSSE({ event: 'run', data: JSON.stringify(change) });
    }
    await stream.writeSSE({
      event: 'at',
      data: JSON.stringify(this.folder.moment),
      id: `${this.#server}-${version}`,
    });
  }

  #versionOf(id: string | undefined): number {
    const [, server, version] = /^(\w+)-(\d{1,15})$/.exec(id ?? '') ?? [];
    return server === this.#server ? Math.min(Number(version), this.folder.version) : 0;
  }
}
