import { mkdirSync } from 'node:fs';
import { defer, finalize, identity, type MonoTypeOperatorFunction } from 'rxjs';
import { say } from '../base/say.js';
import { startThread } from '../base/start-thread.js';
import { DASHBOARD_PORT } from '../experiment/dashboard-flag.js';
import type { DashboardOptions } from './dashboard.js';
import type { DashboardNews } from './dashboard-thread.js';

/**
 * The stream as it is, with the dashboard served from a thread of its own while it is subscribed: by the flag
 * `--dashboard`, on its port. A dashboard that fails says so in one line, and the work goes on without it.
 *
 * A study in memory is seen by its own thread alone, so that the dashboard does not show it.
 *
 * @example
 * training$.pipe(withDashboard(true, { logs: 'logs' }));
 */
export function withDashboard<T>(
  asked: boolean | number,
  { logs, storage }: Pick<DashboardOptions, 'logs' | 'storage'>,
): MonoTypeOperatorFunction<T> {
  if (asked === false) return identity;
  const port = asked === true ? DASHBOARD_PORT : asked;
  const isInMemory = storage?.startsWith('memory:') ?? false;
  return (source) =>
    defer(() => {
      if (isInMemory) say('--dashboard: --storage memory:// is seen by its own thread alone; runs are shown');
      const close = serve({ logs, port, storage: isInMemory ? undefined : storage });
      return source.pipe(finalize(close));
    });
}

function serve(options: DashboardOptions): () => void {
  const fail = (why: string) => say(`--dashboard: ${why}; the work goes on without it`);
  try {
    mkdirSync(options.logs, { recursive: true });
  } catch (error) {
    fail((error as Error).message);
    return () => {};
  }
  const thread = startThread('dashboard-thread', import.meta.url, options);
  thread.on('message', (news: DashboardNews) =>
    'address' in news ? say(`dashboard: ${news.address}`) : fail(news.failed),
  );
  thread.on('error', (error) => fail(error.message));
  thread.unref();
  return () => void thread.terminate();
}
