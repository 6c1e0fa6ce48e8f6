import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, type Subscription } from 'rxjs';
import { share } from 'rxjs/operators';
import { type DashboardOptions, dashboard } from '../../src/dashboard/dashboard.js';
import type { Event } from '../../src/events/event.js';

/** The lines of an event file. */
export const text = (events: readonly unknown[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

/** A folder of logs for a test, and the dashboard that serves it. */
export class Served {
  readonly dir = mkdtempSync(join(tmpdir(), 'millrace-dashboard-'));
  address = '';
  #serving: Subscription | undefined;

  /** Writes a run's event file. */
  log(run: string, events: readonly Event[] | string): string {
    const folder = join(this.dir, 'logs', run);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'events.jsonl');
    writeFileSync(path, typeof events === 'string' ? events : text(events));
    return path;
  }

  async start(options: Partial<DashboardOptions> = {}): Promise<string> {
    const address$ = dashboard({ logs: join(this.dir, 'logs'), port: 0, ...options }).pipe(share());
    this.#serving = address$.subscribe({ error: () => {} });
    this.address = await firstValueFrom(address$);
    return this.address;
  }

  stop(): void {
    this.#serving?.unsubscribe();
  }

  close(): void {
    this.stop();
    rmSync(this.dir, { recursive: true });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.address), { headers, redirect: 'manual' });
  }
}

/** A message of an event stream. */
export interface Message {
  readonly event: string;
  readonly data: unknown;
  readonly id: string | undefined;
}

/** Reads an event stream's messages until one is the wanted one; returns all. */
export async function until(
  reader: AsyncIterator<Message>,
  isWanted: (message: Message) => boolean,
): Promise<Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const { value, done } = await reader.next();
    if (done) throw new Error(`the stream ended after ${JSON.stringify(messages).slice(0, 500)}`);
    messages.push(value);
    if (isWanted(value)) return messages;
  }
}

/** The messages of an answer that is an event stream. */
export async function* messagesOf(response: Response): AsyncGenerator<Message> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split('\n\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const fields = new Map(part.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      if (fields.has('data'))
        yield {
          event: fields.get('event') ?? '',
          data: JSON.parse(fields.get('data')!),
          id: fields.get('id'),
        };
    }
  }
}
